//! The function `parse_path`: the parts of what names an object across regions.

use formwork_contract::provider::FunctionError;
use formwork_contract::{FunctionSchema, ObjectAttribute, ObjectType, Type, Value};

use crate::function::{Function, refused, text, text_of};

pub(crate) struct ParsePath;

const PARTS: [&str; 3] = ["id", "region", "service"];

impl Function for ParsePath {
    fn name(&self) -> &'static str {
        "parse_path"
    }

    fn describe(&self) -> FunctionSchema {
        let part = |name: &str| ObjectAttribute { name: name.into(), ty: Type::String, optional: false };
        FunctionSchema {
            parameters: vec![text("path", "The `path` of an object, such as `sandbox:local-1:network/net-0a1b...`.")],
            variadic: None,
            returns: Type::Object(ObjectType::new(PARTS.map(part)).into()),
            description: "The `region`, the `service` and the `id` that a path is made of.".into(),
            deprecated: None,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let path = text_of(arguments, 0);
        let parts = path.strip_prefix("sandbox:").and_then(|rest| rest.split_once(':'));
        let parts = parts.and_then(|(region, rest)| Some((region, rest.split_once('/')?)));
        match parts {
            Some((region, (service, id))) if ![region, service, id].contains(&"") && !id.contains('/') => {
                Ok(Value::object([("region", region.into()), ("service", service.into()), ("id", id.into())]))
            }
            _ => Err(refused(0, format!("`{path}` is no path: one reads `sandbox:REGION:SERVICE/ID`"))),
        }
    }
}
