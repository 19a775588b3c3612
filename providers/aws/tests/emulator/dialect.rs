//! TEST CODE: how each service of AWS says no, and how it is asked for pages.
//!
//! The shapes are those of botocore's service models: EC2's error document, that of the query protocol (IAM, STS), that
//! of S3, and JSON with `__type` (KMS, CloudWatch Logs, ECR, EKS).

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::HeaderMap;

use crate::moto::Answer;

const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000001";

/// The protocol of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ec2,
    Json,
    Query,
    S3,
}

impl Dialect {
    /// That of a call, by its headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let service = header("authorization").split('/').nth(3).unwrap_or_default();
        match service {
            _ if headers.contains_key("x-amz-target") => Self::Json,
            "eks" => Self::Json,
            "s3" => Self::S3,
            "iam" | "sts" => Self::Query,
            _ => Self::Ec2,
        }
    }

    pub(crate) fn error(self, status: StatusCode, code: &str, message: &str) -> Answer {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        let what = format!("<Code>{code}</Code><Message>{message}</Message>");
        let (content_type, body) = match self {
            Self::Ec2 => (
                "text/xml",
                format!(
                    "{xml}<Response><Errors><Error>{what}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
                ),
            ),
            Self::Query => (
                "text/xml",
                format!(
                    "{xml}<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>{what}\
                     </Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
                ),
            ),
            Self::S3 => ("application/xml", format!("{xml}<Error>{what}<RequestId>{REQUEST_ID}</RequestId></Error>")),
            Self::Json => {
                ("application/x-amz-json-1.1", serde_json::json!({ "__type": code, "message": message }).to_string())
            }
        };
        let (content_type, request_id) = (content_type.into(), REQUEST_ID.into());
        Answer { status, content_type, request_id, body: Bytes::from(body) }
    }

    /// There are too many calls.
    pub(crate) fn too_many(self) -> Answer {
        let (status, code) = match self {
            Self::Ec2 => (StatusCode::SERVICE_UNAVAILABLE, "RequestLimitExceeded"),
            Self::Json => (StatusCode::BAD_REQUEST, "ThrottlingException"),
            Self::Query => (StatusCode::BAD_REQUEST, "Throttling"),
            Self::S3 => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        };
        self.error(status, code, "Rate exceeded.")
    }

    /// The caller may not do it.
    pub(crate) fn denial(self, action: &str) -> Answer {
        let who = "User: arn:aws:iam::123456789012:user/test is not authorized to perform";
        let (code, message) = match self {
            Self::Ec2 => (
                "UnauthorizedOperation",
                "You are not authorized to perform this operation. Encoded authorization failure message: c2hpbQ"
                    .to_owned(),
            ),
            Self::Json => ("AccessDeniedException", format!("{who}: {action}")),
            Self::Query => ("AccessDenied", format!("{who}: iam:{action}")),
            Self::S3 => ("AccessDenied", "Access Denied".to_owned()),
        };
        self.error(StatusCode::FORBIDDEN, code, &message)
    }

    /// Asks for smaller pages than the caller does, so that there are several. 0: as many as were asked for.
    pub(crate) fn paged(self, body: String, page: usize) -> String {
        if page == 0 {
            return body;
        }
        match self {
            Self::Query => body.replace("MaxItems=1000", &format!("MaxItems={page}")),
            Self::Json => ["limit", "Limit", "maxResults"].iter().fold(body, |body, name| {
                [1000, 100, 50]
                    .iter()
                    .fold(body, |body, most| body.replace(&format!("\"{name}\":{most}"), &format!("\"{name}\":{page}")))
            }),
            Self::Ec2 | Self::S3 => body,
        }
    }
}
