//! The shape of a `release` block.

use formwork_contract::schema::{Attribute, Block, Nesting};
use formwork_contract::{Str, Type};

/// The attribute that the stage which applies gives its meaning.
pub(super) const ON_FAILURE: &str = "on_failure";

pub(super) fn release() -> Block {
    optional([(ON_FAILURE, Type::String), ("max_parallel", Type::Number), ("max_unavailable", Type::String)])
        .with_block("window", Nesting::List, window())
        .with_block("freeze", Nesting::List, freeze())
        .with_block("wave", Nesting::Map, wave())
        .with_block("gate", Nesting::Map, gate())
}

fn wave() -> Block {
    optional([
        ("targets", Type::Any),
        ("percent", Type::Number),
        ("count", Type::Number),
        (ON_FAILURE, Type::String),
        ("max_parallel", Type::Number),
        ("max_unavailable", Type::String),
    ])
    .with_block("gate", Nesting::Map, gate())
}

fn window() -> Block {
    let strings = Type::List(Type::String.into());
    with_required(
        optional([("days", strings), ("timezone", Type::String)]),
        [("from", Type::String), ("to", Type::String)],
    )
}

fn freeze() -> Block {
    with_required(
        optional([("reason", Type::String), ("timezone", Type::String)]),
        [("from", Type::String), ("to", Type::String)],
    )
}

fn gate() -> Block {
    optional([
        ("attempts", Type::Number),
        ("interval", Type::String),
        ("timeout", Type::String),
        ("condition", Type::Bool),
        ("error_message", Type::String),
        ("soak", Type::String),
    ])
    .with_block("http", Nesting::Single, http())
    .with_block("tcp", Nesting::Single, tcp())
    .with_block("command", Nesting::Single, command())
    .with_block("approval", Nesting::Single, approval())
}

/// A request and what its answer must be.
pub(super) fn http() -> Block {
    with_required(
        optional([
            ("method", Type::String),
            ("headers", Type::Map(Type::String.into())),
            ("status", Type::Number),
            ("contains", Type::String),
            ("ca", Type::String),
        ]),
        [("url", Type::String)],
    )
}

/// A port that must take a connection.
pub(super) fn tcp() -> Block {
    with_required(Block::default(), [("address", Type::String)])
}

/// A program that must end with 0.
pub(super) fn command() -> Block {
    with_required(
        optional([("environment", Type::Map(Type::String.into()))]),
        [("argv", Type::List(Type::String.into()))],
    )
}

/// Who has to say yes.
fn approval() -> Block {
    Block::default().with_block("require", Nesting::Map, optional([("count", Type::Number)]))
}

fn optional<const N: usize>(attributes: [(&str, Type); N]) -> Block {
    Block::new(attributes.map(|(name, ty)| (Str::from(name), Attribute::optional(ty))))
}

fn with_required<const N: usize>(mut block: Block, attributes: [(&str, Type); N]) -> Block {
    block.attributes.extend(attributes.map(|(name, ty)| (Str::from(name), Attribute::required(ty))));
    block
}
