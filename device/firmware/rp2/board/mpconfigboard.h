// The Raspberry Pi Pico as MicroPython has it, and the read-only file system that an update comes in.
#define MICROPY_HW_BOARD_NAME "Spotcheck pulse front end"
#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024)
// The smallest partition there can be; without one the image would not know this file system.
#define MICROPY_HW_ROMFS_BYTES (4096)
