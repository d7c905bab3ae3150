// Package limit says how much is too much. So far: logins by address.
package limit
