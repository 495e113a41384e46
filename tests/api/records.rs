//! Records: what can be stored, what is refused and how, and how they are listed.

mod anonymous;
mod batch;
mod crud;
mod cursor;
mod expand;
mod list;
mod references;
mod shape;
mod types;
