//! Tests of the extraction engine.

mod parser;
mod tree;
