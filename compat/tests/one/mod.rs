//! What is written here is written for interprocess 1.2.

#![allow(deprecated, clippy::pedantic, unused, reason = "it is as old as what it is for")]

mod names;
