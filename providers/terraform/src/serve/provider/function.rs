//! Functions that the provider brings, and the call that ends what is under way.

use std::sync::Arc;

use formwork_contract::convert::convert;
use formwork_contract::provider::FunctionError as Refusal;
use formwork_contract::{FunctionSchema, Value};

use super::{Outcome, Served};
use crate::convert::value;
use crate::proto::*;

impl Served {
    pub(super) async fn call_function(self: Arc<Self>, request: CallFunctionRequest) -> Outcome<CallFunctionResponse> {
        let functions = &self.kinds().await?.schema.functions;
        let schema = functions.get(&*request.name).ok_or_else(|| self.has_no("function", &request.name))?;
        Ok(match self.result(&request, schema).await {
            Ok(result) => CallFunctionResponse { result: Some(result), error: None },
            Err(refusal) => CallFunctionResponse { result: None, error: Some(told(refusal)) },
        })
    }

    async fn result(&self, request: &CallFunctionRequest, schema: &FunctionSchema) -> Result<DynamicValue, Refusal> {
        let arguments = arguments(request, schema)?;
        let result = self.provider.call_function(&request.name, &arguments).await?;
        let result = convert(&result, &schema.returns).map_err(|error| Refusal {
            text: format!("the provider answered what is no result of `{}`: {error}", request.name),
            argument: None,
        })?;
        Ok(value::to_wire(&result, &schema.returns))
    }

    /// Answers at once; what is under way answers by itself, early.
    pub(super) async fn stop_all(self: Arc<Self>, _: StopRequest) -> Outcome<StopResponse> {
        self.stop().await;
        Ok(StopResponse::default())
    }
}

fn arguments(request: &CallFunctionRequest, schema: &FunctionSchema) -> Result<Vec<Value>, Refusal> {
    let (given, wanted) = (request.arguments.len(), schema.parameters.len());
    if given < wanted || (given > wanted && schema.variadic.is_none()) {
        let text = format!("`{}` takes {wanted} arguments, and {given} were given", request.name);
        return Err(Refusal { text, argument: None });
    }
    let parameters = schema.parameters.iter().chain(schema.variadic.iter().cycle());
    let read = request.arguments.iter().zip(parameters).enumerate().map(|(position, (argument, parameter))| {
        value::from_wire(argument, &parameter.ty).map_err(|error| Refusal {
            text: format!("it is no value for `{}`: {error}", parameter.name),
            argument: Some(position),
        })
    });
    read.collect()
}

fn told(refusal: Refusal) -> FunctionError {
    let function_argument = refusal.argument.and_then(|position| i64::try_from(position).ok());
    FunctionError { text: refusal.text, function_argument }
}
