//go:build race

package wire

// raced: the race detector makes sync.Pool forget at random, so that what is
// allocated says nothing about what is held; and everything takes long.
const raced = true
