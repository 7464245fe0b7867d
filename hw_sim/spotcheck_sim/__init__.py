"""The simulated plant and twins of every port; truth stands in closed form."""
