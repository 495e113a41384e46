use serde_json::{Value, json};
use snackbase::collections::typescript;

use crate::harness::{Backend, TestApp, open};

crate::both![
    the_document_describes_the_records_of_each_collection_to_superadmins,
    typescript_has_an_interface_for_each_collection,
];

async fn start(backend: Backend) -> TestApp {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "options": {"min_length": 1, "pattern": "^a"}},
        {"name": "level", "type": "number", "required": true, "default": 1, "options": {"min": 1, "max": 3}},
        {"name": "status", "type": "text", "options": ["open", "it's \"paid\""]},
        {"name": "owner", "type": "reference", "collection": "user_profiles", "on_delete": "set_null"},
        {"name": "meta", "type": "json"},
        {"name": "scan", "type": "file"},
        {"name": "shout", "type": "computed", "expression": "upper(title)", "return_type": "text"}
    ]);
    app.collection("user_profiles", &fields, &open()).await;
    app.collection(
        "userProfiles",
        &json!([{"name": "on", "type": "boolean"}]),
        &open(),
    )
    .await;
    // Its types must not take the place of the document's own.
    app.collection(
        "collection",
        &json!([{"name": "a", "type": "text"}]),
        &open(),
    )
    .await;
    app
}

async fn the_document_describes_the_records_of_each_collection_to_superadmins(backend: Backend) {
    let app = start(backend).await;
    let user = app.register().await;
    let general = app.anonymous().get("//openapi.json").await.ok(200);
    assert_eq!(user.get("//openapi.json").await.ok(200), general);
    assert!(!general.to_string().to_lowercase().contains("profiles"));
    let document = app.admin.get("//openapi.json").await.ok(200);
    let schemas = &document["components"]["schemas"];
    assert_eq!(
        schemas["CollectionInput"],
        general["components"]["schemas"]["CollectionInput"]
    );
    assert!(schemas["Collection2Input"]["properties"]["a"].is_object());
    let record = &schemas["UserProfiles2Record"]["properties"];
    assert_eq!(
        record["title"],
        json!({"type": "string", "minLength": 1, "pattern": "^a"})
    );
    assert_eq!(
        record["level"],
        json!({"type": "number", "minimum": 1, "maximum": 3})
    );
    assert_eq!(
        record["status"],
        json!({"type": ["string", "null"], "enum": ["open", "it's \"paid\"", null]})
    );
    assert_eq!(
        record["shout"],
        json!({"type": ["string", "null"], "readOnly": true})
    );
    let input = &schemas["UserProfiles2Input"];
    assert_eq!(input["required"], json!(["title", "level"]));
    assert!(input["properties"].get("shout").is_none() && input["properties"].get("id").is_none());
    assert_eq!(schemas["UserProfiles2Change"]["required"], json!([]));
    assert!(schemas["UserProfilesRecord"]["properties"]["on"].is_object());
    let one = &document["paths"]["/api/v1/records/user_profiles/{id}"];
    let methods: Vec<&String> = one.as_object().unwrap().keys().collect();
    assert_eq!(
        methods.len(),
        general["paths"]["/api/v1/records/{collection}/{id}"]
            .as_object()
            .unwrap()
            .len()
    );
    let shape = &one["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(shape["$ref"], "#/components/schemas/UserProfiles2Record");
    let list = &document["paths"]["/api/v1/records/user_profiles"];
    let body = &list["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/UserProfiles2Input");
    let created = &list["post"]["responses"]["201"]["content"]["application/json"]["schema"];
    assert_eq!(created["$ref"], "#/components/schemas/UserProfiles2Record");
    // It is a proper document: names are unique, what is referred to exists, paths name their
    // parameters.
    let mut names = std::collections::HashSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(names.insert(id.to_owned()), "{id} is there twice");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                assert!(
                    parameter["in"] != "path" || path.contains(&format!("{{{name}}}")),
                    "{path}: {name}"
                );
            }
        }
    }
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas[name].is_object(), "{name} is not defined");
    }
}

async fn typescript_has_an_interface_for_each_collection(backend: Backend) {
    let app = start(backend).await;
    let text = typescript(&app.services().collections.all().await.unwrap());
    for line in [
        "export interface UserProfiles2Record extends SystemFields {",
        "  title: string;",
        "  status: \"open\" | \"it's \\\"paid\\\"\" | null;",
        "  owner: string | null;",
        "  scan: FileValue | null;",
        "  shout: string | null;",
        "export interface UserProfiles2Input {",
        "  level: number;",
        "  meta?: Json | null;",
        "  user_profiles: UserProfiles2Record;",
        "  userProfiles: UserProfilesInput;",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("  shout?"), "{text}");
    assert_eq!(
        app.admin.get("/collections/names").await.ok(200)["total"],
        Value::from(3)
    );
}
