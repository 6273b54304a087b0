package dicom

// ImplementationClassUID names this implementation wherever the standard asks for
// it, in associations and in the meta information of files (PS3.10 7.1). It is of
// the root 2.25 and never changes: a file is made of it too, and the same data set
// has to make the same file, so that sending it again is recognised by the digest.
const ImplementationClassUID = "2.25.214690738153904527413652948106735914227"

// ImplementationVersionName goes with ImplementationClassUID and never changes
// either; it names no version, so that nobody learns from a file which one wrote it.
const ImplementationVersionName = "COLLIMATOR"
