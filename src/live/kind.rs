//! Resource types, with what is derived from their schemas once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::convert::{convert, fits};
use formwork_contract::{
    Block, Contents, Diagnostic, Diagnostics, Mode, ProviderSchema, ResourceSchema, Str, Type, Value,
};

use crate::graph::ProviderSource;

/// Which provider something belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub source: ProviderSource,
    /// `None` for one that is linked in.
    pub version: Option<Str>,
}

/// The types of one provider.
#[derive(Debug)]
pub struct Kinds {
    pub provider: Block,
    resources: HashMap<Str, Arc<ResourceKind>>,
    data_sources: HashMap<Str, Arc<ResourceKind>>,
    ephemeral_resources: HashMap<Str, Arc<ResourceKind>>,
}

/// A resource type, data source or type of ephemeral resources.
#[derive(Debug)]
pub struct ResourceKind {
    pub name: Str,
    pub mode: Mode,
    pub origin: Arc<Origin>,
    pub version: u64,
    pub block: Block,
    /// The type of the block's value.
    pub ty: Type,
    pub contents: Contents,
}

impl ResourceKind {
    /// A value from the provider, as a value of the type. `what` it was given as.
    ///
    /// # Errors
    /// It does not fit the schema that the provider told, or something write-only is not null.
    pub fn conforming(&self, value: Value, what: &str) -> Result<Value, Diagnostics> {
        let value = self.typed(value, what)?;
        match self.block.write_only_paths(&value).first() {
            Some(path) => Err(self.defect(what, format!("`{path}` is write-only, and it has a value.")).into()),
            None => Ok(value),
        }
    }

    /// The same for what an apply made: that something write-only is not null must not hide what was done.
    ///
    /// # Errors
    /// It does not fit the schema that the provider told.
    pub fn typed(&self, value: Value, what: &str) -> Result<Value, Diagnostics> {
        if fits(&value, &self.ty) {
            return Ok(value);
        }
        convert(&value, &self.ty).map_err(|error| self.defect(what, error.to_string()).into())
    }

    fn defect(&self, what: &str, why: String) -> Diagnostic {
        let source = &self.origin.source;
        let what = format!("provider `{source}` gave {what} of `{}` that does not fit its schema", self.name);
        Diagnostic::error(what).detail(why).hint("this is a defect of the provider")
    }
}

impl Kinds {
    pub fn new(origin: &Arc<Origin>, schema: &ProviderSchema) -> Self {
        let kind = |mode, name: &Str, schema: &ResourceSchema| {
            let (origin, block, ty) = (Arc::clone(origin), schema.block.clone(), schema.block.ty());
            Arc::new(ResourceKind {
                name: name.clone(),
                mode,
                origin,
                version: schema.version,
                block,
                ty,
                contents: schema.contents.clone(),
            })
        };
        let kinds = |mode, all: &BTreeMap<Str, ResourceSchema>| {
            all.iter().map(|(name, schema)| (name.clone(), kind(mode, name, schema))).collect()
        };
        Self {
            provider: schema.provider.clone(),
            resources: kinds(Mode::Managed, &schema.resources),
            data_sources: kinds(Mode::Data, &schema.data_sources),
            ephemeral_resources: kinds(Mode::Ephemeral, &schema.ephemeral_resources),
        }
    }

    pub fn get(&self, mode: Mode, name: &str) -> Option<&Arc<ResourceKind>> {
        self.all(mode).get(name)
    }

    /// All names of one mode, unordered.
    pub fn names(&self, mode: Mode) -> impl Iterator<Item = &str> {
        self.all(mode).keys().map(|name| &**name)
    }

    fn all(&self, mode: Mode) -> &HashMap<Str, Arc<ResourceKind>> {
        match mode {
            Mode::Managed => &self.resources,
            Mode::Data => &self.data_sources,
            Mode::Ephemeral => &self.ephemeral_resources,
        }
    }
}

#[cfg(test)]
mod tests {
    use formwork_contract::{Attribute, Nesting};

    use super::*;

    fn kind() -> ResourceKind {
        let inner = Block::new([("token_wo", Attribute::optional(Type::String).write_only())]);
        let block = Block::new([
            ("name", Attribute::optional(Type::String)),
            ("password_wo", Attribute::optional(Type::String).write_only()),
        ]);
        let block = block.with_block("login", Nesting::List, inner);
        let origin = Arc::new(Origin { source: ProviderSource::of_name("a", &["a"]), version: None });
        ResourceKind {
            name: "a_b".into(),
            mode: Mode::Managed,
            origin,
            version: 0,
            ty: block.ty(),
            block,
            contents: Contents::Nothing,
        }
    }

    #[test]
    fn a_provider_may_not_answer_what_is_write_only() {
        let kind = kind();
        let login = |token: Value| {
            Value::list(Type::object([("token_wo", Type::String)]), vec![Value::object([("token_wo", token)])])
        };
        let good = kind.block.empty_value().with("name", "x".into()).with("login", login(Value::Null(Type::String)));
        assert_eq!(kind.conforming(good.clone(), "a plan"), Ok(good.clone()));
        let nested = good.with("login", login("planted".into()));
        for (bad, path) in [(good.with("password_wo", "planted".into()), "password_wo"), (nested, "login[0].token_wo")]
        {
            let told = kind.conforming(bad.clone(), "a plan").expect_err("refused").to_string();
            assert!(told.contains(path) && !told.contains("planted"), "{told}");
            assert_eq!(kind.block.without_write_only(&bad), good, "what an apply made is kept without it");
            assert!(kind.typed(bad, "the result of an apply").is_ok());
        }
    }
}
