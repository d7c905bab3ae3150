//go:build !linux

package wire

import (
	"errors"
	"syscall"
)

// read and write are one system call on a descriptor that does not block.

func read(fd int, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(fd, p)
	return n, errno(err)
}

func write(fd int, p []byte) (int, syscall.Errno) {
	n, err := syscall.Write(fd, p)
	return n, errno(err)
}

func errno(err error) (number syscall.Errno) {
	if err != nil && !errors.As(err, &number) {
		return syscall.EIO
	}
	return number
}
