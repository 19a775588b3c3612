//! What `random` draws: of the asked kind, anew where it is asked for, and the same where it is given back.

use formwork_contract::Value;
use formwork_contract::provider::Provider;
use proptest::prelude::*;

use crate::stand::{Stand, object, text, texts};
use crate::tools::{folder, tool, try_run};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_string_has_the_characters_that_are_asked_for(
        least in prop::array::uniform4(0_i64..4),
        allowed in prop::array::uniform4(any::<bool>()),
        more in 1_i64..20,
    ) {
        const KINDS: [&str; 4] = ["lower", "upper", "numeric", "special"];
        prop_assume!(allowed.contains(&true));
        let least: Vec<i64> = least.iter().zip(allowed).map(|(least, allowed)| if allowed { *least } else { 0 }).collect();
        let length = least.iter().sum::<i64>() + more;
        let mut config = object(&[("length", length.into()), ("override_special", "-_".into())]);
        for (place, kind) in KINDS.iter().enumerate() {
            config = config.with(kind, allowed[place].into()).with(&format!("min_{kind}"), least[place].into());
        }
        let made = block_on(Stand::random().make("random_string", &config));
        let result = text(&made, "result");
        prop_assert_eq!(result.len() as i64, length);
        let is: [fn(char) -> bool; 4] = [
            |c| c.is_ascii_lowercase(), |c| c.is_ascii_uppercase(), |c| c.is_ascii_digit(), |c| "-_".contains(c),
        ];
        for place in 0..4 {
            let count = result.chars().filter(|c| is[place](*c)).count() as i64;
            prop_assert!(count >= least[place], "{result} has {count} of {}", KINDS[place]);
            prop_assert!(allowed[place] || count == 0, "{result} has {}", KINDS[place]);
        }
        prop_assert!(result.chars().all(|c| is.iter().any(|is| is(c))), "{}", result);
    }

    #[test]
    fn a_number_is_between_its_bounds(min in any::<i64>(), span in 0_i64..i64::MAX) {
        let max = min.saturating_add(span);
        let made = block_on(Stand::random().make("random_integer", &object(&[("min", min.into()), ("max", max.into())])));
        let number = made.get("result").and_then(Value::as_number).and_then(formwork_contract::Number::as_i64);
        prop_assert!(number.is_some_and(|number| (min..=max).contains(&number)), "{number:?}");
    }

    #[test]
    fn an_id_has_the_same_bytes_in_every_form_and_is_imported(length in 1_i64..40, prefix in "[a-z]{0,4}") {
        let stand = Stand::random();
        let config = object(&[("byte_length", length.into()), ("prefix", prefix.as_str().into())]);
        let made = block_on(stand.make("random_id", &config));
        let hex = text(&made, "hex").strip_prefix(prefix.as_str()).expect("the prefix");
        prop_assert_eq!(hex.len() as i64, length * 2);
        let imported = block_on(async {
            stand.configured().await.import("random_id", &format!("{prefix},{}", text(&made, "id"))).await
        }).expect("it is imported").value;
        for form in ["id", "hex", "dec", "b64_std", "b64_url", "byte_length", "prefix"] {
            prop_assert_eq!(imported.get(form), made.get(form), "{}", form);
        }
    }

    #[test]
    fn a_shuffled_list_has_the_elements_of_the_list(count in 1_usize..12, asked in 0_i64..30) {
        let input: Vec<String> = (0..count).map(|place| format!("item {place}")).collect();
        let input: Vec<&str> = input.iter().map(String::as_str).collect();
        let config = object(&[("input", texts(&input)), ("result_count", asked.into())]);
        let made = block_on(Stand::random().make("random_shuffle", &config));
        let result: Vec<&str> = made.get("result").and_then(Value::elements).expect("a list").iter().filter_map(Value::as_str).collect();
        prop_assert_eq!(result.len() as i64, asked);
        for item in &input {
            let times = result.iter().filter(|drawn| *drawn == item).count() as i64;
            let whole = asked / count as i64;
            prop_assert!((whole..=whole + 1).contains(&times), "{item} stands {times} times in {result:?}");
        }
    }
}

/// A way back gives what was drawn, as a person may who brings a secret along.
#[tokio::test]
async fn what_is_given_back_makes_the_same_object() {
    let stand = Stand::random();
    let cases = [
        ("random_password", object(&[("length", 24.into())]), "result"),
        ("random_string", object(&[("length", 24.into())]), "result"),
        ("random_bytes", object(&[("length", 24.into())]), "base64"),
        ("random_id", object(&[("byte_length", 4.into()), ("prefix", "a".into())]), "b64_url"),
        ("random_integer", object(&[("min", 1.into()), ("max", 50_000.into())]), "result"),
        ("random_pet", object(&[("length", 3.into()), ("prefix", "my".into())]), "id"),
        ("random_shuffle", object(&[("input", texts(&["a", "b", "c", "d", "e"]))]), "result"),
        ("random_uuid", object(&[]), "result"),
    ];
    for (type_name, config, drawn) in cases {
        let (one, other) = (stand.make(type_name, &config).await, stand.make(type_name, &config).await);
        let given = config.with(drawn, one.get(drawn).cloned().expect("it was drawn"));
        let whole = stand.config(type_name, &given).await;
        let change = stand.plan(type_name, &other, &whole).await.expect("a plan");
        if one.get(drawn) != other.get(drawn) {
            let paths: Vec<String> = change.requires_replace.iter().map(ToString::to_string).collect();
            assert_eq!(paths, [drawn], "{type_name}: another one takes its place");
        }
        let again = stand.make(type_name, &given).await;
        for name in ["result", "base64", "hex", "dec", "b64_std", drawn] {
            assert_eq!(again.get(name), one.get(name), "{type_name}.{name}");
        }
        // What is drawn stays when the configuration says nothing of it any more.
        let silent = stand.config(type_name, &config).await;
        assert_eq!(stand.plan(type_name, &again, &silent).await.expect("a plan").planned, again, "{type_name}");
    }
}

#[tokio::test]
async fn a_seed_makes_the_same_draw_and_none_another() {
    let stand = Stand::random();
    for seed in [true, false] {
        let mut config = object(&[("min", 0.into()), ("max", i64::MAX.into())]);
        if seed {
            config = config.with("seed", "a".into());
        }
        let (one, other) = (stand.make("random_integer", &config).await, stand.make("random_integer", &config).await);
        assert_eq!(one.get("result") == other.get("result"), seed);
    }
}

#[tokio::test]
async fn objects_of_terraform_are_imported_by_its_ids() {
    let stand = Stand::random();
    let provider = stand.configured().await;
    for (type_name, id, given, result) in [
        ("random_integer", "15390,1,50000", object(&[("min", 1.into()), ("max", 50_000.into())]), Value::from(15_390)),
        ("random_string", "test!", object(&[("length", 5.into())]), "test!".into()),
        (
            "random_uuid",
            "AABBCCDD-eeff-0011-2233-445566778899",
            object(&[]),
            "aabbccdd-eeff-0011-2233-445566778899".into(),
        ),
    ] {
        let imported = provider.import(type_name, id).await.expect("it is imported").value;
        assert_eq!(imported.get("result"), Some(&result));
        let config = stand.config(type_name, &given).await;
        let planned = stand.plan(type_name, &imported, &config).await.expect("a plan");
        assert_eq!((planned.planned, planned.requires_replace), (imported, Vec::new()), "{type_name}");
    }
    for (type_name, id) in
        [("random_integer", "7"), ("random_integer", "7,9,10"), ("random_uuid", "7"), ("random_id", "!")]
    {
        assert!(provider.import(type_name, id).await.is_err(), "{type_name} {id}");
    }
    for type_name in ["random_password", "random_bytes"] {
        let told = provider.import(type_name, "hunter2").await.expect_err("an id is shown").to_string();
        assert!(told.contains("sensitive variable") && !told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn wrong_settings_are_refused_before_anything_is_drawn() {
    let stand = Stand::random();
    let refused = [
        ("random_string", object(&[("length", 0.into())]), "`length`"),
        ("random_string", object(&[("length", 3.into()), ("min_lower", 4.into())]), "add up to 4"),
        (
            "random_string",
            object(&[("length", 3.into()), ("upper", false.into()), ("min_upper", 1.into())]),
            "`upper` forbids",
        ),
        (
            "random_password",
            object(&[
                ("length", 3.into()),
                ("lower", false.into()),
                ("upper", false.into()),
                ("numeric", false.into()),
                ("special", false.into()),
            ]),
            "no kind of characters",
        ),
        (
            "random_password",
            object(&[("length", 3.into()), ("result", "hunter2-secret".into())]),
            "`result` has to hold 3",
        ),
        ("random_integer", object(&[("min", 2.into()), ("max", 1.into())]), "more than `max`"),
        ("random_integer", object(&[("min", 1.into()), ("max", 2.into()), ("result", 3.into())]), "not from 1 to 2"),
        ("random_uuid", object(&[("result", "ABC".into())]), "UUID"),
        ("random_id", object(&[("byte_length", 2.into()), ("b64_url", "AAAA".into())]), "2 bytes"),
        ("random_shuffle", object(&[("input", texts(&[])), ("result_count", 1.into())]), "is empty"),
    ];
    for (type_name, config, told) in refused {
        let found = stand.try_make(type_name, &config).await.expect_err(told).to_string();
        assert!(found.contains(told) && !found.contains("hunter2"), "{found}");
    }
}

#[tokio::test]
async fn htpasswd_accepts_a_password_by_its_hash() {
    let stand = Stand::random();
    let made = stand.make("random_password", &object(&[("length", 30.into())])).await;
    let (password, hash) = (text(&made, "result"), text(&made, "bcrypt_hash"));
    assert!(hash.starts_with("$2a$10$"), "{hash}");
    assert!(bcrypt::verify(password, hash).expect("a hash"));
    assert!(!bcrypt::verify("another", hash).expect("a hash"));
    let Some(htpasswd) = tool("htpasswd") else { return };
    let files = folder(&[("users", &format!("web:{hash}\n"))]);
    assert!(try_run(htpasswd, &["-vb", "users", "web", password], files.path()).0);
    assert!(!try_run(htpasswd, &["-vb", "users", "web", "another"], files.path()).0);
}

#[tokio::test]
async fn secrets_are_sensitive_in_the_schema() {
    for provider in [formwork_builtin::random::provider(), formwork_builtin::tls::provider()] {
        let schema = provider.schema().await.expect("a schema");
        let types = schema.resources.iter().chain(&schema.data_sources).chain(&schema.ephemeral_resources);
        for (name, resource) in types {
            for (attribute, shape) in &resource.block.attributes {
                let secret = attribute.contains("private_key")
                    || (&**name == "random_password" && ["result", "bcrypt_hash"].contains(&&**attribute))
                    || (&**name == "random_bytes" && ["base64", "hex"].contains(&&**attribute));
                assert_eq!(shape.sensitive, secret, "`{name}.{attribute}`");
            }
        }
    }
}

#[tokio::test]
async fn an_ephemeral_password_has_nothing_of_a_record() {
    let stand = Stand::random();
    let schema = stand.provider.schema().await.expect("a schema");
    let block = &schema.ephemeral_resources["random_password"].block;
    assert!(!block.attributes.contains_key("keepers"));
    let config = block.empty_value().with("length", 12.into());
    let opened = stand.configured().await.open_ephemeral("random_password", &config).await.expect("it opens").value;
    assert_eq!(opened.ty(), block.ty());
    assert_eq!(text(&opened, "result").len(), 12);
}
