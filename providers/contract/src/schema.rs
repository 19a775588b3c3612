//! What a resource, data source or provider configuration looks like.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Entries, ObjectAttribute, ObjectType, Path, Step, Str, Type, Value};

/// Everything that a provider offers.
#[derive(Clone, Debug, Default)]
pub struct ProviderSchema {
    /// The provider's own configuration.
    pub provider: Block,
    pub resources: BTreeMap<Str, ResourceSchema>,
    pub data_sources: BTreeMap<Str, ResourceSchema>,
    /// Opened for a run and closed again; what they give is never stored.
    pub ephemeral_resources: BTreeMap<Str, ResourceSchema>,
    /// Called as `provider::NAME::FUNCTION(...)`.
    pub functions: BTreeMap<Str, FunctionSchema>,
}

/// A function that a provider brings.
#[derive(Clone, Debug)]
pub struct FunctionSchema {
    pub parameters: Vec<FunctionParameter>,
    /// Takes all arguments beyond `parameters`, each of this type.
    pub variadic: Option<FunctionParameter>,
    pub returns: Type,
    pub description: String,
    pub deprecated: Option<Str>,
}

#[derive(Clone, Debug)]
pub struct FunctionParameter {
    pub name: Str,
    pub ty: Type,
    /// False: a null argument is an error.
    pub allow_null: bool,
    /// False: an argument that is not wholly known makes the result unknown, without a call.
    pub allow_unknown: bool,
    pub description: String,
}

/// A resource type's block and the version of what is stored of it.
#[derive(Clone, Debug, Default)]
pub struct ResourceSchema {
    pub version: u64,
    pub block: Block,
    pub contents: Contents,
}

/// What an object of a type holds beside its attributes: what dies with it, and no way back makes again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Contents {
    /// The provider does not tell. Plugins do not.
    #[default]
    Unknown,
    /// Its attributes are all that there is.
    Nothing,
    /// This, in words that follow "its": `container images`, `logs`.
    Data(Str),
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub attributes: BTreeMap<Str, Attribute>,
    pub blocks: BTreeMap<Str, NestedBlock>,
    pub description: String,
    pub deprecated: Option<Str>,
}

/// One attribute. Exactly one of `required`, `optional` or `computed` alone, or `optional` with `computed`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// For one with attributes of its own, what these make: see [`NestedAttributes::ty`].
    pub ty: Type,
    /// Attributes within this one, written `name = { ... }`.
    pub nested: Option<Arc<NestedAttributes>>,
    pub required: bool,
    pub optional: bool,
    /// The provider sets it where the configuration does not.
    pub computed: bool,
    pub sensitive: bool,
    /// A change makes a new object. (Plugins tell this with each plan instead.)
    pub forces_replacement: bool,
    /// Sent to the provider, never stored.
    pub write_only: bool,
    pub deprecated: Option<Str>,
    pub description: String,
}

/// How often a nested block may stand, and what its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// At most one: an object or null.
    Single,
    /// At most one, and its object is there even when the block is not.
    Group,
    List,
    Set,
    /// By the block's label.
    Map,
}

/// Attributes within an attribute, each with its own rules.
#[derive(Clone, Debug)]
pub struct NestedAttributes {
    /// Never `Group`.
    pub nesting: Nesting,
    /// Without nested blocks.
    pub block: Block,
}

#[derive(Clone, Debug)]
pub struct NestedBlock {
    pub nesting: Nesting,
    pub block: Block,
    pub min: usize,
    /// No bound where this is `None`.
    pub max: Option<usize>,
}

impl Attribute {
    fn new(ty: Type) -> Self {
        Self {
            ty,
            nested: None,
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            forces_replacement: false,
            write_only: false,
            deprecated: None,
            description: String::new(),
        }
    }

    pub fn required(ty: Type) -> Self {
        Self { required: true, ..Self::new(ty) }
    }

    pub fn optional(ty: Type) -> Self {
        Self { optional: true, ..Self::new(ty) }
    }

    pub fn computed(ty: Type) -> Self {
        Self { computed: true, ..Self::new(ty) }
    }

    /// The same attribute with attributes of its own.
    #[must_use]
    pub fn nesting(self, nesting: Nesting, block: Block) -> Self {
        let nested = NestedAttributes { nesting, block };
        Self { ty: nested.ty(), nested: Some(Arc::new(nested)), ..self }
    }

    /// Whether a configuration may speak of it, and what it says is kept.
    pub fn can_be_set(&self) -> bool {
        (self.required || self.optional) && !self.write_only
    }

    /// Optional, and computed where the configuration is silent.
    pub fn defaulted(ty: Type) -> Self {
        Self { optional: true, computed: true, ..Self::new(ty) }
    }

    #[must_use]
    pub fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    #[must_use]
    pub fn forces_replacement(self) -> Self {
        Self { forces_replacement: true, ..self }
    }

    /// The type that a configuration's value has to fit: within the attribute, what is not required may be
    /// left out.
    pub fn config_ty(&self) -> Type {
        match &self.nested {
            Some(nested) => nested_type(nested.nesting, nested.block.config_ty()),
            None => self.ty.clone(),
        }
    }

    #[must_use]
    pub fn write_only(self) -> Self {
        Self { write_only: true, ..self }
    }

    #[must_use]
    pub fn describe(self, description: &str) -> Self {
        Self { description: description.into(), ..self }
    }
}

impl Block {
    pub fn new<N: Into<Str>>(attributes: impl IntoIterator<Item = (N, Attribute)>) -> Self {
        Self {
            attributes: attributes.into_iter().map(|(name, attribute)| (name.into(), attribute)).collect(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn with_block(mut self, name: &str, nesting: Nesting, block: Block) -> Self {
        self.blocks.insert(name.into(), NestedBlock { nesting, block, min: 0, max: None });
        self
    }

    /// The type of a value of this block; list blocks of one type each are lists.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, attribute)| (name, attribute.ty.without_optional()));
        let blocks = self.blocks.iter().map(|(name, nested)| (name, nested.ty()));
        Type::Object(Arc::new(ObjectType::new(attributes.chain(blocks).map(|(name, ty)| ObjectAttribute {
            name: name.clone(),
            ty,
            optional: false,
        }))))
    }

    /// The type of what a configuration says of these attributes.
    fn config_ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, attribute)| ObjectAttribute {
            name: name.clone(),
            ty: attribute.config_ty(),
            optional: !attribute.required,
        });
        Type::Object(Arc::new(ObjectType::new(attributes)))
    }

    /// Paths of sensitive attributes of this value, those within nested blocks included.
    pub fn sensitive_paths(&self, value: &Value) -> Vec<Path> {
        let mut paths = Vec::new();
        self.each_attribute(value, &Path::root(), &mut |path, attribute, _| {
            if attribute.sensitive {
                paths.push(path.clone());
            }
        });
        paths
    }

    /// The value with its sensitive attributes marked.
    #[must_use]
    pub fn mark_sensitive(&self, value: &Value) -> Value {
        if !self.has(&|attribute| attribute.sensitive) {
            return value.clone();
        }
        let sensitive = self.sensitive_paths(value);
        value.transform(&Path::root(), &mut |path, part| {
            if sensitive.contains(path) { part.mark(crate::Marks::SENSITIVE) } else { part }
        })
    }

    /// The value with its write-only attributes null: as it may be planned and stored.
    #[must_use]
    pub fn without_write_only(&self, value: &Value) -> Value {
        replaced(value, &Path::root(), &self.write_only_paths(value), &|part| Value::Null(part.ty()))
    }

    /// Paths of the write-only attributes that have a value here, those within nested blocks included.
    pub fn write_only_paths(&self, value: &Value) -> Vec<Path> {
        let mut paths = Vec::new();
        if self.has(&|attribute| attribute.write_only) {
            self.each_attribute(value, &Path::root(), &mut |path, attribute, part| {
                if attribute.write_only && *part != Value::Null(part.ty()) {
                    paths.push(path.clone());
                }
            });
        }
        paths
    }

    /// The value with its write-only attributes marked as ephemeral.
    #[must_use]
    pub fn mark_write_only(&self, value: &Value) -> Value {
        let mark = |part: &Value| part.clone().mark(crate::Marks::EPHEMERAL);
        replaced(value, &Path::root(), &self.write_only_paths(value), &mark)
    }

    /// Whether this holds for any attribute, those within nested blocks included.
    fn has(&self, property: &dyn Fn(&Attribute) -> bool) -> bool {
        self.attributes.values().any(|attribute| {
            property(attribute) || attribute.nested.as_ref().is_some_and(|nested| nested.block.has(property))
        }) || self.blocks.values().any(|nested| nested.block.has(property))
    }

    /// Calls `visit` for each attribute of `value`, with its path, at every depth; an attribute before those
    /// within it.
    pub fn each_attribute(&self, value: &Value, at: &Path, visit: &mut dyn FnMut(&Path, &Attribute, &Value)) {
        let Some(entries) = value.entries() else { return };
        for (name, attribute) in &self.attributes {
            let Some(part) = entries.get(name) else { continue };
            let at = at.join(Step::Attribute(name.clone()));
            visit(&at, attribute, part);
            if let Some(nested) = &attribute.nested {
                nested.block.each_nested(nested.nesting, part, &at, visit);
            }
        }
        for (name, nested) in &self.blocks {
            let Some(part) = entries.get(name) else { continue };
            let at = at.join(Step::Attribute(name.clone()));
            nested.block.each_nested(nested.nesting, part, &at, visit);
        }
    }

    fn each_nested(
        &self,
        nesting: Nesting,
        value: &Value,
        at: &Path,
        visit: &mut dyn FnMut(&Path, &Attribute, &Value),
    ) {
        match nesting {
            Nesting::Single | Nesting::Group => self.each_attribute(value, at, visit),
            Nesting::List | Nesting::Set => {
                for (index, item) in value.elements().unwrap_or_default().iter().enumerate() {
                    self.each_attribute(item, &at.join(Step::Index(index)), visit);
                }
            }
            Nesting::Map => {
                for (key, item) in value.entries().into_iter().flat_map(Entries::iter) {
                    self.each_attribute(item, &at.join(Step::Key(key.clone())), visit);
                }
            }
        }
    }
}

/// The value with the parts at these paths replaced, marks and all.
fn replaced(value: &Value, at: &Path, paths: &[Path], change: &dyn Fn(&Value) -> Value) -> Value {
    if paths.is_empty() {
        return value.clone();
    }
    if paths.contains(at) {
        return change(value);
    }
    value.map_children(&mut |step, child| replaced(child, &at.join(step), paths, change))
}

impl NestedAttributes {
    /// The type of the attribute that holds them.
    pub fn ty(&self) -> Type {
        nested_type(self.nesting, self.block.ty())
    }
}

fn nested_type(nesting: Nesting, inner: Type) -> Type {
    match nesting {
        Nesting::Single | Nesting::Group => inner,
        // Elements whose types may differ cannot share a list.
        Nesting::List | Nesting::Map if inner.has_any() => Type::Any,
        Nesting::List => Type::list(inner),
        Nesting::Set => Type::set(inner),
        Nesting::Map => Type::map(inner),
    }
}

impl NestedBlock {
    /// The type of the nested block as a part of the outer value.
    pub fn ty(&self) -> Type {
        nested_type(self.nesting, self.block.ty())
    }

    /// What stands for the block when the blueprint has none.
    pub fn absent(&self) -> Value {
        let inner = self.block.ty();
        match self.nesting {
            Nesting::Single => Value::Null(inner),
            Nesting::Group => self.block.empty_value(),
            Nesting::List if inner.has_any() => Value::tuple(Vec::new()),
            Nesting::List => Value::list(inner, Vec::new()),
            Nesting::Set => Value::set(inner, Vec::new()),
            Nesting::Map if inner.has_any() => Value::object::<Str>([]),
            Nesting::Map => Value::map(inner, Entries::new(Vec::new())),
        }
    }
}

impl Block {
    /// A value with every attribute null and every nested block absent.
    pub fn empty_value(&self) -> Value {
        let attributes = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.without_optional())));
        let blocks = self.blocks.iter().map(|(name, nested)| (name.clone(), nested.absent()));
        Value::object(attributes.chain(blocks))
    }
}
