// Package dimse exchanges DICOM messages of PS3.7 over the upper layer protocol of
// PS3.8: Server and Mux answer, Dial asks, and Association is what both hold while
// they talk. It drives the pure state machine of dimse/ul over a connection, with
// or without TLS, and knows the services C-ECHO, C-STORE, C-FIND, C-GET, C-MOVE and
// the normalized N- services; it does not know what is stored or who may ask: that
// is decided by Server.Admit and by the Interceptor of the Mux.
//
// Data sets of C-STORE pass as streams in constant memory with back-pressure.
// Everything a peer controls is bounded by Limits. A peer's input never ends the
// process and never blocks another peer.
//
// Errors and log lines hold AE titles, addresses, SOP Classes and numbers, never
// values of data elements.
package dimse
