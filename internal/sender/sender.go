// Package sender brings files to a peer: it finds the objects below directories,
// sends them over several associations (C-STORE), remembers in a journal
// what was acknowledged, and asks for storage commitment (PS3.4 J). It opens no
// connection by itself but the listener for reports, prints nothing and decides
// no exit code.
package sender
