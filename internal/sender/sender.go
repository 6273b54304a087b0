// Package sender brings files to a peer: it finds the objects below directories,
// sends them over several associations (C-STORE), remembers in a journal
// what was acknowledged, and asks for storage commitment (PS3.4 J). A Peer is an AE
// with what is needed to talk to it; other clients use it as well. It knows no flags.
package sender
