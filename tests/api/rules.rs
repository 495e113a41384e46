//! Rules: who may do what, who sees which fields, and who sees personal data.

mod access;
mod answers;
mod fields;
mod macros;
mod matrix;
mod pii;
mod quotas;
mod sent;
mod tools;
