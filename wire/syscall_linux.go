package wire

import (
	"syscall"
	"unsafe"
)

// read and write are one system call on a descriptor that does not block. The
// scheduler is not told: it has nobody to put in our place for so short a time,
// and would wake its watchdog thread each time the gateway had been idle.

func read(fd int, p []byte) (int, syscall.Errno) {
	return transfer(syscall.SYS_READ, fd, p)
}

func write(fd int, p []byte) (int, syscall.Errno) {
	return transfer(syscall.SYS_WRITE, fd, p)
}

// transfer calls for p, which is not empty.
func transfer(call uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, err := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if err != 0 {
		return 0, err
	}
	return int(n), 0
}
