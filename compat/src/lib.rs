//! Programs as they were written for interprocess 1.2.1 and 2.4.7, in `tests/`: each compiles with the crate that it was written
//! for and, with nothing changed but the name of the crate, with this one. And peers that were built with those crates, which
//! talk to ours.
