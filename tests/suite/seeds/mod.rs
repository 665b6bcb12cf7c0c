//! The lines of tutorials and notes that users learn from: every command in them is typed here,
//! every table and error they show is compared.

mod commands;
mod errors;
mod shapes;
mod small;
