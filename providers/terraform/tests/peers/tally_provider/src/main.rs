//! A provider of tallies, written with the crate `tf-provider`: a plugin of protocol 6 on a TCP port, with a nested
//! block, private data and plans of deletions.
//!
//! A tally is nothing but what the host keeps of it. How often it was changed is in its private data.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tf_provider::schema::{Attribute, AttributeConstraint, AttributeType, Block, Description, NestedBlock, Schema};
use tf_provider::value::{Value, ValueEmpty, ValueNumber, ValueString};
use tf_provider::{AttributePath, Diagnostics, DynamicResource, Provider, Resource, map, serve};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct State<'a> {
    #[serde(borrow = "'a")]
    id: ValueString<'a>,
    start: ValueNumber,
    limits: Value<Limits>,
    total: ValueNumber,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Limits {
    lower: ValueNumber,
    upper: ValueNumber,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Changes {
    changes: i64,
}

struct Tally;

impl Tally {
    fn check(diags: &mut Diagnostics, state: &State<'_>) {
        let (Value::Value(start), Value::Value(limits)) = (&state.start, &state.limits) else { return };
        if matches!(limits.upper, Value::Value(upper) if *start > upper) {
            let path = AttributePath::new("limits").attribute("upper");
            diags.error("the start is above the upper limit", format!("It is {start}."), path);
        }
    }

    fn told<'a>(mut state: State<'a>, private: Value<Changes>, changes: i64) -> Option<(State<'a>, Value<Changes>)> {
        let Value::Value(start) = state.start else { return None };
        let before = if let Value::Value(private) = private { private.changes } else { 0 };
        let changes = before + changes;
        state.id = ValueString::Value(format!("tally-{start}").into());
        state.total = ValueNumber::Value(start + changes);
        Some((state, Value::Value(Changes { changes })))
    }
}

fn attribute(attr_type: AttributeType, constraint: AttributeConstraint) -> Attribute {
    Attribute { attr_type, constraint, description: Description::plain(""), ..Attribute::default() }
}

#[async_trait]
impl Resource for Tally {
    type State<'a> = State<'a>;
    type PrivateState<'a> = Value<Changes>;
    type ProviderMetaState<'a> = ValueEmpty;

    fn schema(&self, _diags: &mut Diagnostics) -> Option<Schema> {
        let number = |constraint| attribute(AttributeType::Number, constraint);
        let limits = map! {
            "lower" => number(AttributeConstraint::Optional),
            "upper" => number(AttributeConstraint::Required),
        };
        let attributes = map! {
            "id" => attribute(AttributeType::String, AttributeConstraint::Computed),
            "start" => number(AttributeConstraint::Required),
            "total" => number(AttributeConstraint::Computed),
        };
        let blocks = map! { "limits" => NestedBlock::Single(Block { attributes: limits, ..Block::default() }) };
        Some(Schema { version: 1, block: Block { version: 1, attributes, blocks, ..Block::default() } })
    }

    async fn validate<'a>(&self, diags: &mut Diagnostics, config: State<'a>) -> Option<()> {
        Self::check(diags, &config);
        Some(())
    }

    async fn read<'a>(
        &self,
        _diags: &mut Diagnostics,
        state: State<'a>,
        private: Value<Changes>,
        _meta: ValueEmpty,
    ) -> Option<(State<'a>, Value<Changes>)> {
        Self::told(state, private, 0)
    }

    async fn plan_create<'a>(
        &self,
        _diags: &mut Diagnostics,
        proposed: State<'a>,
        _config: State<'a>,
        _meta: ValueEmpty,
    ) -> Option<(State<'a>, Value<Changes>)> {
        let unknown = State { id: ValueString::Unknown, total: ValueNumber::Unknown, ..proposed };
        Some((unknown, Value::Value(Changes::default())))
    }

    async fn plan_update<'a>(
        &self,
        _diags: &mut Diagnostics,
        prior: State<'a>,
        proposed: State<'a>,
        _config: State<'a>,
        private: Value<Changes>,
        _meta: ValueEmpty,
    ) -> Option<(State<'a>, Value<Changes>, Vec<AttributePath>)> {
        if prior.start != proposed.start {
            let unknown = State { id: ValueString::Unknown, total: ValueNumber::Unknown, ..proposed };
            return Some((unknown, private, vec![AttributePath::new("start")]));
        }
        if prior.limits == proposed.limits {
            return Some((proposed, private, Vec::new()));
        }
        Some((State { total: ValueNumber::Unknown, ..proposed }, private, Vec::new()))
    }

    async fn plan_destroy<'a>(
        &self,
        diags: &mut Diagnostics,
        prior: State<'a>,
        private: Value<Changes>,
        _meta: ValueEmpty,
    ) -> Option<Value<Changes>> {
        if let Value::Value(limits) = prior.limits
            && limits.lower == ValueNumber::Value(0)
        {
            diags.root_error_short("a tally with the lower limit 0 is kept");
        }
        Some(private)
    }

    async fn create<'a>(
        &self,
        _diags: &mut Diagnostics,
        planned: State<'a>,
        _config: State<'a>,
        private: Value<Changes>,
        _meta: ValueEmpty,
    ) -> Option<(State<'a>, Value<Changes>)> {
        Self::told(planned, private, 0)
    }

    async fn update<'a>(
        &self,
        _diags: &mut Diagnostics,
        _prior: State<'a>,
        planned: State<'a>,
        _config: State<'a>,
        private: Value<Changes>,
        _meta: ValueEmpty,
    ) -> Option<(State<'a>, Value<Changes>)> {
        Self::told(planned, private, 1)
    }

    async fn destroy<'a>(
        &self,
        _diags: &mut Diagnostics,
        _state: State<'a>,
        _private: Value<Changes>,
        _meta: ValueEmpty,
    ) -> Option<()> {
        Some(())
    }

    async fn import<'a>(&self, diags: &mut Diagnostics, id: String) -> Option<(State<'a>, Value<Changes>)> {
        let Some(start) = id.strip_prefix("tally-").and_then(|start| start.parse().ok()) else {
            diags.root_error("this is no tally's id", format!("`{id}` does not look like `tally-7`."));
            return None;
        };
        let state = State { start: ValueNumber::Value(start), ..State::default() };
        Self::told(state, Value::Null, 0)
    }
}

#[derive(Clone, Debug)]
struct Tallies;

#[async_trait]
impl Provider for Tallies {
    type Config<'a> = ValueEmpty;
    type MetaState<'a> = ValueEmpty;

    fn schema(&self, _diags: &mut Diagnostics) -> Option<Schema> {
        Some(Schema { version: 1, block: Block::default() })
    }

    fn get_resources(&self, _diags: &mut Diagnostics) -> Option<HashMap<String, Box<dyn DynamicResource>>> {
        Some(map! { "tally" => Tally })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    serve("tally", Tallies).await
}
