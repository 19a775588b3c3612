//! From messages, with every mistake of theirs collected.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use formwork_contract::{
    Attribute, Block, Contents, Diagnostic, Diagnostics, FunctionParameter, FunctionSchema, NestedAttributes,
    NestedBlock, Nesting, Path, ProviderSchema, ResourceSchema, Step, Str, Type,
};

use crate::proto::{Function, NestingMode, Parameter, v6};

/// How deep blocks and attributes may stand within one another.
const MAX_DEPTH: usize = 64;

pub(super) fn provider(response: v6::GetProviderSchemaResponse) -> Result<ProviderSchema, Diagnostics> {
    let mut mistakes = Diagnostics::new();
    let schema = ProviderSchema {
        provider: Reader::new(Part::Provider, &mut mistakes).schema(response.provider.unwrap_or_default()).block,
        resources: all(response.resource_schemas, Part::Resource, &mut mistakes),
        data_sources: all(response.data_source_schemas, Part::DataSource, &mut mistakes),
        ephemeral_resources: all(response.ephemeral_resource_schemas, Part::Ephemeral, &mut mistakes),
        functions: functions(response.functions, &mut mistakes),
    };
    mistakes.into_result(schema).map(|(schema, _)| schema)
}

fn all(
    schemas: HashMap<String, v6::Schema>,
    part: fn(Str) -> Part,
    mistakes: &mut Diagnostics,
) -> BTreeMap<Str, ResourceSchema> {
    // In the order of the names, so that mistakes come in one order too.
    let schemas: BTreeMap<String, v6::Schema> = schemas.into_iter().collect();
    let read = schemas.into_iter().map(|(name, schema)| {
        let name: Str = name.into();
        (name.clone(), Reader::new(part(name), mistakes).schema(schema))
    });
    read.collect()
}

fn functions(functions: HashMap<String, Function>, mistakes: &mut Diagnostics) -> BTreeMap<Str, FunctionSchema> {
    let functions: BTreeMap<String, Function> = functions.into_iter().collect();
    let read = functions.into_iter().map(|(name, function)| {
        let name: Str = name.into();
        (name.clone(), Reader::new(Part::Function(name), mistakes).function(function))
    });
    read.collect()
}

/// Which of a provider's schemas it is.
enum Part {
    Provider,
    Resource(Str),
    DataSource(Str),
    Ephemeral(Str),
    Function(Str),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider => f.write_str("its own configuration"),
            Self::Resource(name) => write!(f, "resource type `{name}`"),
            Self::DataSource(name) => write!(f, "data source `{name}`"),
            Self::Ephemeral(name) => write!(f, "ephemeral resource type `{name}`"),
            Self::Function(name) => write!(f, "function `{name}`"),
        }
    }
}

/// Reads one schema, and goes on after a mistake.
struct Reader<'a> {
    part: Part,
    at: Vec<Str>,
    mistakes: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    fn new(part: Part, mistakes: &'a mut Diagnostics) -> Self {
        Self { part, at: Vec::new(), mistakes }
    }

    fn mistake(&mut self, problem: &str) {
        let path: Path = self.at.iter().cloned().map(Step::Attribute).collect();
        let place = if path.is_root() { String::new() } else { format!(", `{path}`") };
        let error = Diagnostic::error(format!("the provider's schema makes no sense: {}{place} {problem}", self.part))
            .hint("this is a mistake in the provider: try another version of it, and tell those who keep it");
        self.mistakes.push(error);
    }

    fn within<T>(&mut self, name: &Str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(name.clone());
        let read = read(self);
        self.at.pop();
        read
    }

    fn schema(&mut self, schema: v6::Schema) -> ResourceSchema {
        let version = u64::try_from(schema.version).unwrap_or_else(|_| {
            self.mistake("has a negative version");
            0
        });
        ResourceSchema {
            version,
            block: self.block(schema.block.unwrap_or_default()),
            // The protocol does not tell.
            contents: Contents::Unknown,
        }
    }

    fn block(&mut self, block: v6::Block) -> Block {
        if self.at.len() > MAX_DEPTH {
            self.mistake("is nested too deep");
            return Block::default();
        }
        let attributes = self.attributes(block.attributes);
        let mut blocks = BTreeMap::new();
        for nested in block.block_types {
            let name: Str = nested.type_name.as_str().into();
            let nested = self.within(&name, |reader| reader.nested_block(nested));
            if attributes.contains_key(&name) || blocks.insert(name.clone(), nested).is_some() {
                self.within(&name, |reader| reader.mistake("is declared twice"));
            }
        }
        Block { attributes, blocks, description: block.description, deprecated: deprecated(block.deprecated) }
    }

    fn nested_block(&mut self, nested: v6::NestedBlock) -> NestedBlock {
        let nesting = self.nesting(nested.nesting());
        let mut bound = |name: &str, items: i64| {
            usize::try_from(items).unwrap_or_else(|_| {
                self.mistake(&format!("has a negative {name} number of blocks"));
                0
            })
        };
        let (min, max) = (bound("least", nested.min_items), bound("greatest", nested.max_items));
        if max != 0 && min > max {
            self.mistake("must stand more often than it may");
        }
        let block = self.block(nested.block.unwrap_or_default());
        NestedBlock { nesting, block, min, max: (max != 0).then_some(max) }
    }

    fn attributes(&mut self, attributes: Vec<v6::Attribute>) -> BTreeMap<Str, Attribute> {
        let mut read = BTreeMap::new();
        for attribute in attributes {
            let name: Str = attribute.name.as_str().into();
            let attribute = self.within(&name, |reader| reader.attribute(attribute));
            if read.insert(name.clone(), attribute).is_some() {
                self.within(&name, |reader| reader.mistake("is declared twice"));
            }
        }
        read
    }

    fn attribute(&mut self, attribute: v6::Attribute) -> Attribute {
        if attribute.name.is_empty() {
            self.mistake("has no name");
        }
        match (attribute.required, attribute.optional, attribute.computed) {
            (true, true, _) => self.mistake("is both required and optional"),
            (true, _, true) => self.mistake("is both required and computed"),
            (false, false, false) => self.mistake("is none of required, optional and computed"),
            _ => {}
        }
        if attribute.write_only && attribute.computed {
            self.mistake("is both write-only and computed");
        }
        let nested = attribute.nested_type.map(|nested| Arc::new(self.nested_attributes(nested)));
        let ty = match &nested {
            Some(_) if !attribute.r#type.is_empty() => {
                self.mistake("has both a type and attributes of its own");
                Type::Any
            }
            Some(nested) => nested.ty(),
            None => self.ty(&attribute.r#type),
        };
        Attribute {
            ty,
            nested,
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            forces_replacement: false,
            write_only: attribute.write_only,
            deprecated: deprecated(attribute.deprecated),
            description: attribute.description,
        }
    }

    fn nested_attributes(&mut self, nested: v6::NestedAttributes) -> NestedAttributes {
        if self.at.len() > MAX_DEPTH {
            self.mistake("is nested too deep");
            return NestedAttributes { nesting: Nesting::Single, block: Block::default() };
        }
        let mut nesting = self.nesting(nested.nesting());
        if nesting == Nesting::Group {
            self.mistake("has attributes of its own as a group, which only a block may");
            nesting = Nesting::Single;
        }
        let block = Block { attributes: self.attributes(nested.attributes), ..Block::default() };
        NestedAttributes { nesting, block }
    }

    fn nesting(&mut self, nesting: NestingMode) -> Nesting {
        match nesting {
            NestingMode::Single => Nesting::Single,
            NestingMode::List => Nesting::List,
            NestingMode::Set => Nesting::Set,
            NestingMode::Map => Nesting::Map,
            NestingMode::Group => Nesting::Group,
            NestingMode::Invalid => {
                self.mistake("does not say how often it may stand");
                Nesting::List
            }
        }
    }

    fn ty(&mut self, json: &[u8]) -> Type {
        let parsed: Option<serde_json::Value> = serde_json::from_slice(json).ok();
        parsed.as_ref().and_then(Type::from_json).unwrap_or_else(|| {
            let json = String::from_utf8_lossy(json).into_owned();
            self.mistake(&if json.is_empty() { "has no type".into() } else { format!("has an unknown type: {json}") });
            Type::Any
        })
    }

    fn function(&mut self, function: Function) -> FunctionSchema {
        let parameters = function.parameters.into_iter().map(|parameter| self.parameter(parameter)).collect();
        let variadic = function.variadic_parameter.map(|parameter| self.parameter(parameter));
        let returns = self.ty(&function.r#return.unwrap_or_default().r#type);
        let description = if function.description.is_empty() { function.summary } else { function.description };
        let deprecated = Some(function.deprecation_message).filter(|message| !message.is_empty()).map(Str::from);
        FunctionSchema { parameters, variadic, returns, description, deprecated }
    }

    fn parameter(&mut self, parameter: Parameter) -> FunctionParameter {
        let name: Str = parameter.name.into();
        let ty = self.within(&name, |reader| reader.ty(&parameter.r#type));
        FunctionParameter {
            name,
            ty,
            allow_null: parameter.allow_null_value,
            allow_unknown: parameter.allow_unknown_values,
            description: parameter.description,
        }
    }
}

/// The protocol tells that something is deprecated, and not why: that is in the description.
fn deprecated(deprecated: bool) -> Option<Str> {
    deprecated.then(|| "its provider may remove it in a later version".into())
}
