// Package sallyport is the top of the tree and holds no code. README.md says
// what the program is, CONTRIBUTING.md how it is built; arch_test.go beside
// this file holds the rooms to their floors.
package sallyport
