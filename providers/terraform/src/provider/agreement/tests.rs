//! Plans that keep to a configuration, and plans that do not.

use formwork_contract::Type;

use super::*;

fn block() -> Block {
    let port =
        Block::new([("number", Attribute::required(Type::Number)), ("protocol", Attribute::defaulted(Type::String))]);
    let disk = Block::new([("size", Attribute::required(Type::Number)), ("id", Attribute::computed(Type::String))]);
    let mut secret = Attribute::optional(Type::String);
    secret.write_only = true;
    Block::new([
        ("name", Attribute::required(Type::String)),
        ("id", Attribute::computed(Type::String)),
        ("zone", Attribute::defaulted(Type::String)),
        ("note", Attribute::optional(Type::String)),
        ("secret", secret),
        ("port", Attribute::optional(Type::Bool).nesting(Nesting::Single, port)),
    ])
    .with_block("disk", Nesting::List, disk.clone())
    .with_block("mount", Nesting::Set, disk)
}

fn config() -> Value {
    block().empty_value().with("name", Value::string("a"))
}

fn disk(size: i64, id: Option<&str>) -> Value {
    let id = id.map_or(Value::Null(Type::String), Value::string);
    Value::object([("size", Value::number(size)), ("id", id)])
}

fn disks(items: Vec<Value>) -> Value {
    Value::list(block().blocks["disk"].block.ty(), items)
}

fn mounts(items: Vec<Value>) -> Value {
    Value::set(block().blocks["mount"].block.ty(), items)
}

/// The paths at which a creation would not keep to the configuration.
fn found(config: &Value, planned: &Value) -> Vec<String> {
    let prior = Value::Null(block().ty());
    disagreements(&block(), &prior, config, planned).iter().map(|one| one.path.to_string()).collect()
}

const NOTHING: [String; 0] = [];

#[test]
fn what_is_computed_may_be_filled_in() {
    let planned = config().with("id", Value::unknown(Type::String)).with("zone", Value::string("north"));
    assert_eq!(found(&config(), &planned), NOTHING);
}

#[test]
fn what_is_configured_may_not_be_changed_nor_what_is_not_be_set() {
    let planned = config().with("name", Value::string("b")).with("note", Value::string("hello"));
    assert_eq!(found(&config(), &planned), ["name", "note"]);
    assert_eq!(found(&config(), &config().with("name", Value::unknown(Type::String))), ["name"]);
    assert_eq!(found(&config().with("zone", Value::string("south")), &config()), ["zone"]);
}

#[test]
fn the_prior_value_may_stand_for_another_way_to_write_it() {
    let prior = config().with("name", Value::string("A"));
    assert_eq!(disagreements(&block(), &prior, &config(), &prior), []);
    let other = config().with("name", Value::string("c"));
    assert_eq!(disagreements(&block(), &prior, &config(), &other).len(), 1);
}

#[test]
fn what_is_not_known_yet_stays_so() {
    let unknown = config().with("name", Value::unknown(Type::String));
    let refined = Value::Unknown(formwork_contract::Unknown { ty: Type::String, not_null: true });
    assert_eq!(found(&unknown, &config().with("name", refined)), NOTHING);
    assert_eq!(found(&unknown, &config()), ["name"]);
}

#[test]
fn write_only_attributes_are_never_planned() {
    let config = config().with("secret", Value::string("swordfish"));
    assert_eq!(found(&config, &config), ["secret"]);
    assert_eq!(found(&config, &config.with("secret", Value::Null(Type::String))), NOTHING);
}

#[test]
fn nested_attributes_are_held_to_their_own_rules() {
    let port =
        |number: i64, protocol: Value| Value::object([("number", Value::number(number)), ("protocol", protocol)]);
    let config = config().with("port", port(1, Value::Null(Type::String)));
    assert_eq!(found(&config, &config.with("port", port(1, Value::string("tcp")))), NOTHING);
    assert_eq!(found(&config, &config.with("port", port(2, Value::string("tcp")))), ["port.number"]);
    assert_eq!(found(&config, &config.with("port", Value::Null(Type::Any))), ["port"]);
}

#[test]
fn nested_blocks_are_as_many_as_configured() {
    let config = config().with("disk", disks(vec![disk(1, None), disk(2, None)]));
    let planned = |items| config.with("disk", disks(items));
    assert_eq!(found(&config, &planned(vec![disk(1, Some("x")), disk(2, Some("y"))])), NOTHING);
    assert_eq!(found(&config, &planned(vec![disk(1, Some("x"))])), ["disk"]);
    assert_eq!(found(&config, &planned(vec![disk(1, None), disk(3, None)])), ["disk[1].size"]);
}

#[test]
fn elements_of_a_set_are_found_by_what_is_configured_of_them() {
    let config = config().with("mount", mounts(vec![disk(1, None), disk(2, None)]));
    let planned = |items| config.with("mount", mounts(items));
    assert_eq!(found(&config, &planned(vec![disk(2, Some("a")), disk(1, Some("b"))])), NOTHING);
    assert_eq!(found(&config, &planned(vec![disk(1, None)])), ["mount"]);
    assert_eq!(found(&config, &planned(vec![disk(1, None), disk(3, None)])), ["mount[1]"]);
    let unknown = config.with("mount", mounts(vec![disk(1, None), Value::unknown(Type::Any)]));
    assert_eq!(found(&unknown, &planned(vec![disk(1, None)])), NOTHING, "both may turn out to be one");
}
