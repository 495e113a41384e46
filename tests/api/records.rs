//! Records: what can be stored, what is refused and how, and how they are listed.

mod aggregate;
mod anonymous;
mod batch;
mod bytes;
mod contention;
mod crud;
mod cursor;
mod encrypted;
mod exchange;
mod expand;
mod guesses;
mod list;
mod numbers;
mod paths;
mod patterns;
mod references;
mod search;
mod shape;
mod size;
mod types;
mod unique;
mod values;
