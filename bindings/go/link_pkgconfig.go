//go:build zvpos_pkgconfig

package zvpos

// With `-tags zvpos_pkgconfig` the installed zvpos.pc says where header and library are.

// #cgo pkg-config: zvpos
import "C"
