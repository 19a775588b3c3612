//! What the suite does to roles and policies. IAM has no regions: names are told apart by the test's.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::{Type, Value};
use serde_json::json;

use crate::bench::map;
use crate::moto::Moto;

type Entries = Vec<(&'static str, Value)>;

fn object(entries: Entries) -> Value {
    Value::object(entries)
}

fn text(value: &Value, attribute: &str) -> String {
    value.get_str(attribute).unwrap_or_default().to_owned()
}

/// Who may act as a role.
pub(crate) fn trust(service: &str) -> Value {
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string().into()
}

/// What may be done.
pub(crate) fn permission(action: &str) -> Value {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string().into()
}

/// A disturbance by one call of IAM.
async fn call(
    moto: &'static Moto,
    action: &'static str,
    parameters: Vec<(&'static str, String)>,
) -> Result<(), String> {
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    moto.iam(action, &parameters).await.map(|_| ())
}

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![
        roles(moto, region),
        role_policies(moto, region),
        attachments(moto, region),
        policies(moto, region),
        profiles(moto, region),
        providers(moto, region),
    ]
}

fn role(region: &str, name: &str, more: Entries) -> Value {
    let mut entries =
        vec![("name", Value::from(format!("{region}-{name}"))), ("assume_role_policy", trust("ec2.amazonaws.com"))];
    entries.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    entries.extend(more);
    object(entries)
}

fn policy(region: &str, name: &str, action: &str, more: Entries) -> Value {
    let mut entries = vec![("name", Value::from(format!("{region}-{name}"))), ("policy", permission(action))];
    entries.extend(more);
    object(entries)
}

fn roles(moto: &'static Moto, region: &'static str) -> Fixture {
    Fixture::new("aws_iam_role", move |_| {
        role(region, "role", vec![("description", "nodes".into()), ("tags", map(&[("Name", "a")]))])
    })
    .needs("boundary", "aws_iam_policy", move |_| policy(region, "boundary", "s3:*", Vec::new()))
    .update(move |_| {
        let more = vec![
            ("assume_role_policy", trust("eks.amazonaws.com")),
            ("description", "the cluster".into()),
            ("max_session_duration", Value::from(7200)),
        ];
        role(region, "role", more)
    })
    .update(move |prepared| {
        let more = vec![("permissions_boundary", prepared.id("boundary")), ("tags", map(&[("Name", "b"), ("x", "y")]))];
        role(region, "role", more)
    })
    .update(move |_| role(region, "role", Vec::new()))
    .replace(move |_| role(region, "other-role", vec![("path", "/platform/".into())]))
    .drift(move |value| {
        let parameters = vec![("RoleName", text(&value, "name")), ("Description", "changed".into())];
        call(moto, "UpdateRole", parameters)
    })
    .vanish(move |value| call(moto, "DeleteRole", vec![("RoleName", text(&value, "name"))]))
}

fn role_policies(moto: &'static Moto, region: &'static str) -> Fixture {
    let inline = |prepared: &Prepared, name: &str, action: &str| {
        object(vec![
            ("role", prepared.get("role", "name")),
            ("name", Value::from(name)),
            ("policy", permission(action)),
        ])
    };
    Fixture::new("aws_iam_role_policy", move |prepared| inline(prepared, "logs", "logs:PutLogEvents"))
        .without_owner()
        .needs("role", "aws_iam_role", move |_| role(region, "inline", Vec::new()))
        .update(move |prepared| inline(prepared, "logs", "logs:*"))
        .replace(move |prepared| inline(prepared, "more", "logs:*"))
        .drift(move |value| {
            let parameters = vec![
                ("RoleName", text(&value, "role")),
                ("PolicyName", text(&value, "name")),
                ("PolicyDocument", text(&object(vec![("p", permission("s3:*"))]), "p")),
            ];
            call(moto, "PutRolePolicy", parameters)
        })
        .vanish(move |value| {
            let parameters = vec![("RoleName", text(&value, "role")), ("PolicyName", text(&value, "name"))];
            call(moto, "DeleteRolePolicy", parameters)
        })
}

fn attachments(moto: &'static Moto, region: &'static str) -> Fixture {
    let attached = |prepared: &Prepared, policy: &str| {
        object(vec![("role", prepared.get("role", "name")), ("policy_arn", prepared.get(policy, "arn"))])
    };
    Fixture::new("aws_iam_role_policy_attachment", move |prepared| attached(prepared, "policy"))
        .without_owner()
        .needs("role", "aws_iam_role", move |_| role(region, "attached", Vec::new()))
        .needs("policy", "aws_iam_policy", move |_| policy(region, "attached", "s3:*", Vec::new()))
        .needs("other", "aws_iam_policy", move |_| policy(region, "attached-too", "ec2:*", Vec::new()))
        .replace(move |prepared| attached(prepared, "other"))
        .vanish(move |value| {
            let parameters = vec![("RoleName", text(&value, "role")), ("PolicyArn", text(&value, "policy_arn"))];
            call(moto, "DetachRolePolicy", parameters)
        })
}

fn policies(moto: &'static Moto, region: &'static str) -> Fixture {
    let versions = ["s3:a", "s3:b", "s3:c", "s3:d", "s3:e", "s3:f"];
    let fixture = Fixture::new("aws_iam_policy", move |_| {
        policy(region, "policy", "s3:*", vec![("tags", map(&[("Name", "a")]))])
    });
    // More versions than IAM keeps.
    let fixture = versions.into_iter().fold(fixture, |fixture, action| {
        fixture.update(move |_| policy(region, "policy", action, vec![("tags", map(&[("Name", "a")]))]))
    });
    fixture
        .update(move |_| policy(region, "policy", "s3:f", vec![("tags", map(&[("Name", "b"), ("x", "y")]))]))
        .replace(move |_| policy(region, "other-policy", "s3:*", vec![("description", "another".into())]))
        .drift(move |value| {
            let parameters = vec![
                ("PolicyArn", text(&value, "arn")),
                ("PolicyDocument", text(&object(vec![("p", permission("ec2:*"))]), "p")),
                ("SetAsDefault", "true".into()),
            ];
            call(moto, "CreatePolicyVersion", parameters)
        })
        .vanish(move |value| async move {
            let arn = text(&value, "arn");
            // One of the two versions is in force and goes with the policy.
            for version in ["v1", "v2", "v3"] {
                let parameters = [("PolicyArn", arn.as_str()), ("VersionId", version)];
                let _ = moto.iam("DeletePolicyVersion", &parameters).await;
            }
            call(moto, "DeletePolicy", vec![("PolicyArn", arn)]).await
        })
}

fn profiles(moto: &'static Moto, region: &'static str) -> Fixture {
    let profile = move |name: &str, more: Entries| {
        let mut entries = vec![("name", Value::from(format!("{region}-{name}")))];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_iam_instance_profile", move |prepared| {
        profile("profile", vec![("role", prepared.get("role", "name")), ("tags", map(&[("Name", "a")]))])
    })
    .needs("role", "aws_iam_role", move |_| role(region, "profile", Vec::new()))
    .needs("other", "aws_iam_role", move |_| role(region, "profile-too", Vec::new()))
    .update(move |prepared| profile("profile", vec![("role", prepared.get("other", "name"))]))
    .update(move |_| profile("profile", vec![("tags", map(&[("x", "y")]))]))
    .replace(move |_| profile("other-profile", Vec::new()))
    .drift(move |value| {
        let parameters = vec![("InstanceProfileName", text(&value, "name")), ("RoleName", text(&value, "role"))];
        call(moto, "RemoveRoleFromInstanceProfile", parameters)
    })
    .vanish(move |value| async move {
        let (name, role) = (text(&value, "name"), text(&value, "role"));
        let parameters = vec![("InstanceProfileName", name.clone()), ("RoleName", role)];
        call(moto, "RemoveRoleFromInstanceProfile", parameters).await?;
        call(moto, "DeleteInstanceProfile", vec![("InstanceProfileName", name)]).await
    })
}

fn providers(moto: &'static Moto, region: &'static str) -> Fixture {
    let thumbprint = |digit: &str| Value::list(Type::String, vec![digit.repeat(40).into()]);
    let clients = |names: &[&str]| Value::set(Type::String, names.iter().map(|name| Value::from(*name)).collect());
    let provider = move |path: &str, more: Entries| {
        let mut entries = vec![("url", Value::from(format!("https://oidc.{region}.example/{path}")))];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_iam_openid_connect_provider", move |_| {
        let more = vec![
            ("client_id_list", clients(&["sts.amazonaws.com"])),
            ("thumbprint_list", thumbprint("a")),
            ("tags", map(&[("Name", "a")])),
        ];
        provider("id/1", more)
    })
    .update(move |_| {
        let more =
            vec![("client_id_list", clients(&["other", "sts.amazonaws.com"])), ("thumbprint_list", thumbprint("b"))];
        provider("id/1", more)
    })
    .update(move |_| {
        let more = vec![
            ("client_id_list", clients(&["other"])),
            ("thumbprint_list", thumbprint("b")),
            ("tags", map(&[("x", "y")])),
        ];
        provider("id/1", more)
    })
    .replace(move |_| {
        provider("id/2", vec![("client_id_list", clients(&["other"])), ("thumbprint_list", thumbprint("b"))])
    })
    .drift(move |value| {
        let parameters =
            vec![("OpenIDConnectProviderArn", text(&value, "arn")), ("ThumbprintList.member.1", "c".repeat(40))];
        call(moto, "UpdateOpenIDConnectProviderThumbprint", parameters)
    })
    .vanish(move |value| {
        call(moto, "DeleteOpenIDConnectProvider", vec![("OpenIDConnectProviderArn", text(&value, "arn"))])
    })
}
