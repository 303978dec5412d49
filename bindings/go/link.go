//go:build !zvpos_pkgconfig

package zvpos

// The compiler finds zvpos.h by CGO_CFLAGS=-I… and the library by CGO_LDFLAGS=-L…; see README.md.

// #cgo LDFLAGS: -lzvpos
import "C"
