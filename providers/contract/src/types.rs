//! Types as HCL has them, written and read as type constraints and as cty's JSON.

use std::fmt;
use std::sync::Arc;

use serde_json::json;

use crate::Str;

/// The type of a value, or a constraint on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// Any type; as the type of a value: not known yet.
    Any,
    Bool,
    Number,
    String,
    List(Arc<Type>),
    Set(Arc<Type>),
    Map(Arc<Type>),
    Tuple(Arc<[Type]>),
    Object(Arc<ObjectType>),
}

/// The attributes of an object type, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType {
    attributes: Vec<ObjectAttribute>,
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectAttribute {
    pub name: Str,
    pub ty: Type,
    /// May be left out when converting to this type; it is null then.
    pub optional: bool,
}

impl ObjectType {
    pub fn new(attributes: impl IntoIterator<Item = ObjectAttribute>) -> Self {
        let mut attributes: Vec<_> = attributes.into_iter().collect();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        attributes.dedup_by(|a, b| a.name == b.name);
        Self { attributes }
    }

    pub fn get(&self, name: &str) -> Option<&ObjectAttribute> {
        let at = self.attributes.binary_search_by(|attribute| (*attribute.name).cmp(name)).ok()?;
        Some(&self.attributes[at])
    }

    /// In the order of the names.
    pub fn iter(&self) -> std::slice::Iter<'_, ObjectAttribute> {
        self.attributes.iter()
    }
}

impl Type {
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    pub fn set(element: Type) -> Self {
        Self::Set(Arc::new(element))
    }

    pub fn map(element: Type) -> Self {
        Self::Map(Arc::new(element))
    }

    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// An object type without optional attributes.
    pub fn object<N: Into<Str>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(Arc::new(ObjectType::new(attributes.into_iter().map(|(name, ty)| ObjectAttribute {
            name: name.into(),
            ty,
            optional: false,
        }))))
    }

    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// Whether any part of the type is [`Type::Any`].
    pub fn has_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_any(),
            Self::Tuple(elements) => elements.iter().any(Self::has_any),
            Self::Object(object) => object.iter().any(|attribute| attribute.ty.has_any()),
        }
    }

    /// The same type with every optional attribute required: what a value of it has.
    #[must_use]
    pub fn without_optional(&self) -> Self {
        match self {
            Self::Any | Self::Bool | Self::Number | Self::String => self.clone(),
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => Self::tuple(elements.iter().map(Self::without_optional)),
            Self::Object(object) => {
                Self::object(object.iter().map(|attribute| (attribute.name.clone(), attribute.ty.without_optional())))
            }
        }
    }

    /// What a message calls it: `string`, `list of number`, `object`.
    pub fn friendly_name(&self) -> String {
        match self {
            Self::Any => "dynamic".into(),
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::List(element) => format!("list of {}", element.friendly_name()),
            Self::Set(element) => format!("set of {}", element.friendly_name()),
            Self::Map(element) => format!("map of {}", element.friendly_name()),
            Self::Tuple(_) => "tuple".into(),
            Self::Object(_) => "object".into(),
        }
    }

    /// The JSON that cty writes for a type: `"string"`, `["list","string"]`, `["object",{...},["optional"]]`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Any => json!("dynamic"),
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Tuple(elements) => json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Object(object) => {
                let attributes: serde_json::Map<_, _> =
                    object.iter().map(|attribute| (attribute.name.to_string(), attribute.ty.to_json())).collect();
                let optional: Vec<_> =
                    object.iter().filter(|attribute| attribute.optional).map(|attribute| &*attribute.name).collect();
                if optional.is_empty() {
                    json!(["object", attributes])
                } else {
                    json!(["object", attributes, optional])
                }
            }
        }
    }

    /// Reads what [`Type::to_json`] writes; `None` for anything else.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        if let Some(name) = json.as_str() {
            return match name {
                "dynamic" => Some(Self::Any),
                "bool" => Some(Self::Bool),
                "number" => Some(Self::Number),
                "string" => Some(Self::String),
                _ => None,
            };
        }
        let parts = json.as_array()?;
        let argument = parts.get(1)?;
        match parts.first()?.as_str()? {
            "list" => Some(Self::list(Self::from_json(argument)?)),
            "set" => Some(Self::set(Self::from_json(argument)?)),
            "map" => Some(Self::map(Self::from_json(argument)?)),
            "tuple" => Some(Self::Tuple(argument.as_array()?.iter().map(Self::from_json).collect::<Option<_>>()?)),
            "object" => {
                let optional: Vec<&str> = match parts.get(2) {
                    Some(names) => names.as_array()?.iter().map(serde_json::Value::as_str).collect::<Option<_>>()?,
                    None => Vec::new(),
                };
                let attributes = argument
                    .as_object()?
                    .iter()
                    .map(|(name, ty)| {
                        Some(ObjectAttribute {
                            name: name.as_str().into(),
                            ty: Self::from_json(ty)?,
                            optional: optional.contains(&name.as_str()),
                        })
                    })
                    .collect::<Option<Vec<_>>>()?;
                Some(Self::Object(Arc::new(ObjectType::new(attributes))))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    /// As a type constraint is written in HCL: `map(object({ a = string, b = optional(number) }))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(elements) => {
                f.write_str("tuple([")?;
                for (position, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str("])")
            }
            Self::Object(object) => {
                f.write_str("object({")?;
                for (position, attribute) in object.iter().enumerate() {
                    f.write_str(if position == 0 { " " } else { ", " })?;
                    if attribute.optional {
                        write!(f, "{} = optional({})", attribute.name, attribute.ty)?;
                    } else {
                        write!(f, "{} = {}", attribute.name, attribute.ty)?;
                    }
                }
                f.write_str(if object.attributes.is_empty() { "})" } else { " })" })
            }
        }
    }
}
