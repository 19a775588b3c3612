//! The command line; its verbs follow.

fn main() {}
