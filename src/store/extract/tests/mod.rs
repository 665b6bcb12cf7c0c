//! Tests of the extraction engine.

mod oracle;
mod parser;
mod tree;
