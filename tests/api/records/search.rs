use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    all_words_must_occur_and_the_last_may_go_on,
    nothing_that_is_typed_is_an_error,
    searches_combine_with_filters_orders_and_pages,
    searches_follow_every_write_at_once,
    accounts_and_rules_hold,
    hidden_and_masked_fields_are_not_searched,
    collections_that_cannot_be_searched_say_what_to_do,
    fields_become_searchable_and_stop_being_so,
    a_search_goes_with_its_collection,
    long_texts_are_searched_at_their_beginning,
    texts_of_every_script_and_composition_are_found_by_what_they_contain,
];

async fn books(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.limits.record_bytes = 16 << 20).await;
    let fields = json!([
        {"name": "title", "type": "text", "searchable": true},
        {"name": "rank", "type": "number"},
        {"name": "mail", "type": "email", "searchable": true},
        {"name": "notes", "type": "text"},
        {"name": "body", "type": "text", "searchable": true}
    ]);
    app.collection("books", &fields, &open()).await;
    let user = app.register().await;
    let records = json!({"records": [
        {"title": "The Quick Brown Fox", "rank": 1, "body": "jumps over the lazy dog"},
        {"title": "Quicksand", "rank": 2, "mail": "fox@example.com", "notes": "unseen"},
        {"title": "it's a well-known path: /usr/local/bin", "rank": 3, "body": "C++ & Rust; 3.14 \"quoted\""},
        {"title": "Größe und Maß", "rank": 4},
        {"title": null, "rank": 5}
    ]});
    user.post("/records/books/batch", &records).await.ok(201);
    (app, user)
}

async fn ranks(user: &User, query: &[(&str, &str)]) -> Vec<i64> {
    let query: Vec<(&str, &str)> = query.iter().copied().chain([("sort", "rank")]).collect();
    let page = user.query("/records/books", &query).await.ok(200);
    let ranks: Vec<i64> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| whole(&item["rank"]))
        .collect();
    assert_eq!(page["total"], ranks.len(), "{query:?}");
    ranks
}

fn whole(number: &Value) -> i64 {
    number.to_string().trim_end_matches(".0").parse().unwrap()
}

async fn search(user: &User, text: &str) -> Vec<i64> {
    ranks(user, &[("search", text)]).await
}

async fn all_words_must_occur_and_the_last_may_go_on(backend: Backend) {
    let (_app, user) = books(backend).await;
    let cases: &[(&str, &[i64])] = &[
        ("quick", &[1, 2]),
        ("quick brown", &[1]),
        ("brown QUICK", &[1]),
        ("quick lazy d", &[1]),
        ("qui brown", &[]),
        ("fox", &[1, 2]),
        ("uick", &[]),
        ("example.com", &[2]),
        ("fox@example.c", &[2]),
        ("well known", &[3]),
        ("well-known", &[3]),
        ("/usr/local", &[3]),
        ("it's", &[3]),
        ("rust quot", &[3]),
        ("3.14", &[3]),
        ("größ", &[4]),
        ("maß", &[4]),
        ("unseen", &[]),
        ("", &[1, 2, 3, 4, 5]),
        ("  ", &[1, 2, 3, 4, 5]),
    ];
    for (text, expected) in cases {
        assert_eq!(search(&user, text).await, *expected, "{text}");
    }
}

async fn nothing_that_is_typed_is_an_error(backend: Backend) {
    let (_app, user) = books(backend).await;
    for text in [
        "\"quick",
        "quick*",
        "*",
        "\"",
        "'",
        "''",
        "'quick'",
        "quick AND",
        "NOT quick",
        "title:quick",
        "{title} : quick",
        "quick^",
        "-quick",
        "(quick",
        ")",
        "NEAR(quick brown)",
        "quick & brown",
        "quick | !",
        ":*",
        "'q':*",
        "\\",
        "%",
        "_",
        "\u{0}",
        "a\u{0}b",
        "🦊",
        "“”",
        "\u{301}",
        "\u{1e900}\u{1e901}x",
        "; DROP TABLE col_books",
        "q\nb",
        "account:x",
        "c0:quick",
    ] {
        search(&user, text).await;
    }
    assert_eq!(search(&user, "\"quick*\" (brown)").await, [1]);
    assert_eq!(search(&user, "NOT quick").await, [0_i64; 0]);
    assert_eq!(search(&user, "!!!").await, [0_i64; 0]);
    let refusal = user
        .query("/records/books", &[("search", &"x".repeat(501))])
        .await
        .refused(400, "500");
    assert_eq!(refusal["error"], "Invalid search");
    user.query("/records/books", &[("search", &"x ".repeat(21))])
        .await
        .refused(400, "20 words");
}

async fn searches_combine_with_filters_orders_and_pages(backend: Backend) {
    let (_app, user) = books(backend).await;
    assert_eq!(
        ranks(&user, &[("search", "fox"), ("filter", "rank > 1")]).await,
        [2]
    );
    let first = user
        .get("/records/books?search=quick&sort=-rank&limit=1&cursor=&include_count=true")
        .await
        .ok(200);
    assert_eq!(
        (whole(&first["items"][0]["rank"]), &first["total"]),
        (2, &json!(2))
    );
    let next = [
        ("search", "quick"),
        ("sort", "-rank"),
        ("limit", "1"),
        ("cursor", first["next_cursor"].as_str().unwrap()),
    ];
    let second = user.query("/records/books", &next).await.ok(200);
    assert_eq!(
        (whole(&second["items"][0]["rank"]), &second["has_more"]),
        (1, &json!(false))
    );
    let sum = user
        .get("/records/books/aggregate?functions=count()&search=quick")
        .await
        .ok(200);
    assert_eq!(sum["results"][0]["count"], 2);
    let narrow = user
        .get("/records/books?search=brown&fields=rank")
        .await
        .ok(200);
    assert!(
        !narrow["items"][0]
            .as_object()
            .unwrap()
            .contains_key("title")
    );
}

async fn searches_follow_every_write_at_once(backend: Backend) {
    let (_app, user) = books(backend).await;
    let id = user
        .create_id("books", &json!({"rank": 9, "title": "walrus"}))
        .await;
    let path = format!("/records/books/{id}");
    assert_eq!(search(&user, "walrus").await, [9]);
    user.patch(&path, &json!({"rank": 8})).await.ok(200);
    assert_eq!(search(&user, "walrus").await, [8]);
    user.patch(&path, &json!({"title": "seal", "body": "harbour"}))
        .await
        .ok(200);
    assert_eq!(
        (
            search(&user, "walrus").await,
            search(&user, "seal harbour").await
        ),
        (vec![], vec![8])
    );
    user.patch(&path, &json!({"title": null})).await.ok(200);
    assert_eq!(
        (search(&user, "seal").await, search(&user, "harbour").await),
        (vec![], vec![8])
    );
    user.delete(&path).await.ok(204);
    assert_eq!(search(&user, "harbour").await, [0_i64; 0]);
    let batch = json!({"records": [{"rank": 6, "title": "otter"}, {"rank": 7, "title": "otter"}]});
    let created = user.post("/records/books/batch", &batch).await.ok(201);
    assert_eq!(search(&user, "otter").await, [6, 7]);
    let ids = json!({"ids": [created["created"][0]["id"]]});
    user.delete_with("/records/books/batch", &ids).await.ok(200);
    assert_eq!(search(&user, "otter").await, [7]);
}

async fn accounts_and_rules_hold(backend: Backend) {
    let (app, user) = books(backend).await;
    let stranger = app.register().await;
    assert_eq!(search(&stranger, "quick").await, [0_i64; 0]);
    stranger
        .create("books", &json!({"rank": 7, "title": "Quick, too"}))
        .await;
    assert_eq!(
        (
            search(&stranger, "quick").await,
            search(&user, "quick").await
        ),
        (vec![7], vec![1, 2])
    );
    assert_eq!(search(&app.admin, "quick").await, [1, 2, 7]);
    app.rules("books", &json!({"list_rule": "rank > 1"})).await;
    assert_eq!(search(&user, "quick").await, [2]);
}

async fn hidden_and_masked_fields_are_not_searched(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "name", "type": "text", "searchable": true, "pii": true, "mask_type": "name"},
        {"name": "salary", "type": "text", "searchable": true},
        {"name": "title", "type": "text", "searchable": true}
    ]);
    app.collection("staff", &fields, &open()).await;
    app.rules("staff", &json!({"list_fields": ["name", "title"]}))
        .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    user.create(
        "staff",
        &json!({"name": "Alice", "salary": "plenty", "title": "engineer"}),
    )
    .await;
    let found = async |caller: &User, text: &str| {
        caller
            .query("/records/staff", &[("search", text)])
            .await
            .ok(200)["total"]
            .as_i64()
            .unwrap()
    };
    for (text, [member, other, admin]) in [
        ("engineer", [1, 1, 1]),
        ("alice", [1, 0, 1]),
        ("plenty", [0, 0, 1]),
        ("alice plenty", [0, 0, 1]),
        ("alice eng", [1, 0, 1]),
    ] {
        let hits = [
            found(&user, text).await,
            found(&colleague, text).await,
            found(&app.admin, text).await,
        ];
        assert_eq!(hits, [member, other, admin], "{text}");
    }
    app.rules("staff", &json!({"list_fields": ["name"]})).await;
    assert_eq!(found(&user, "alice").await, 1);
    colleague
        .query("/records/staff", &[("search", "alice")])
        .await
        .refused(400, "None of the fields");
}

async fn collections_that_cannot_be_searched_say_what_to_do(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "plain",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    let refusal = user
        .get("/records/plain?search=x")
        .await
        .refused(400, "\"searchable\": true");
    assert_eq!(refusal["error"], "Invalid search");
    user.get("/records/plain?search=").await.ok(200);
    let wrong =
        json!({"name": "wrong", "fields": [{"name": "n", "type": "number", "searchable": true}]});
    app.admin
        .post("/collections", &wrong)
        .await
        .problems(&[("schema[0].searchable", "searchable_not_supported")]);
}

async fn fields_become_searchable_and_stop_being_so(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let field = |name: &str, searchable: bool| json!({"name": name, "type": "text", "searchable": searchable});
    let created = app
        .collection("notes", &json!([field("b", false)]), &open())
        .await;
    let path = format!("/collections/{}", created["id"].as_str().unwrap());
    let user = app.register().await;
    user.create("notes", &json!({"b": "walrus"})).await;
    let found = async |text: &str| {
        user.query("/records/notes", &[("search", text)])
            .await
            .ok(200)["total"]
            .clone()
    };
    let change = async |fields: Value| {
        app.admin
            .put(&path, &json!({"fields": fields}))
            .await
            .ok(200)
    };
    assert_eq!(
        change(json!([field("b", true)])).await["schema"][0]["searchable"],
        true
    );
    assert_eq!(found("walrus").await, 1);
    // Another order, and one more that comes before it.
    change(json!([
        field("c", false),
        field("a", true),
        field("b", true)
    ]))
    .await;
    let id = user
        .create_id("notes", &json!({"a": "seal", "b": "otter", "c": "crab"}))
        .await;
    assert_eq!(
        (
            found("walrus").await,
            found("seal ott").await,
            found("crab").await
        ),
        (json!(1), json!(1), json!(0))
    );
    change(json!([
        field("b", false),
        field("a", true),
        field("c", true)
    ]))
    .await;
    assert_eq!(
        (
            found("walrus").await,
            found("seal").await,
            found("crab").await
        ),
        (json!(0), json!(1), json!(1))
    );
    user.patch(&format!("/records/notes/{id}"), &json!({"c": "lobster"}))
        .await
        .ok(200);
    assert_eq!(
        (found("crab").await, found("lobster").await),
        (json!(0), json!(1))
    );
    change(json!([
        field("a", false),
        field("b", false),
        field("c", false)
    ]))
    .await;
    user.get("/records/notes?search=seal")
        .await
        .refused(400, "searchable");
    user.patch(&format!("/records/notes/{id}"), &json!({"c": "whale"}))
        .await
        .ok(200);
    user.delete(&format!("/records/notes/{id}")).await.ok(204);
}

async fn a_search_goes_with_its_collection(backend: Backend) {
    let (app, user) = books(backend).await;
    let fields = json!([{"name": "title", "type": "text", "searchable": true}]);
    app.admin.delete("/collections/books").await.ok(200);
    app.collection("books", &fields, &open()).await;
    assert_eq!(
        user.get("/records/books?search=quick").await.ok(200)["total"],
        0
    );
    user.create("books", &json!({"title": "quick"})).await;
    assert_eq!(
        user.get("/records/books?search=quick").await.ok(200)["total"],
        1
    );
}

async fn long_texts_are_searched_at_their_beginning(backend: Backend) {
    let (_app, user) = books(backend).await;
    let many: Vec<String> = (0..300_000).map(|n| format!("w{n}")).collect();
    user.create(
        "books",
        &json!({"rank": 6, "title": many.join(" "), "body": "ä".repeat(2_000_000)}),
    )
    .await;
    assert_eq!(
        (search(&user, "w17").await, search(&user, "w299999").await),
        (vec![6], vec![])
    );
}

/// Texts by a key, with words that find them besides their own.
const TEXTS: [(&str, &str, &[&str]); 26] = [
    (
        "composed",
        "Crème brûlée maison",
        &["crème", "CRÈME", "cre\u{300}me bru\u{302}le\u{301}e"],
    ),
    (
        "apart",
        "Cafe\u{301} noir corse\u{301}",
        &["café", "CAFÉ", "corsé", "caf\u{65}\u{301}", "café cor"],
    ),
    (
        "mixed",
        "re\u{301}sumé d'été",
        &["résumé", "re\u{301}sume\u{301} e\u{301}te\u{301}"],
    ),
    (
        "vietnamese",
        "Tiê\u{301}ng Viê\u{323}t",
        &["tiếng việt", "TIẾNG", "Tie\u{302}\u{301}ng"],
    ),
    ("hindi", "हिन्दी भाषा अच्छी", &["हिन्दी", "भाषा", "हिन्"]),
    ("nukta", "क़लम ज़रूर", &["क़लम", "ज़"]),
    ("tamil", "தமிழ் மொழி", &["தமிழ்", "மொழி"]),
    ("thai", "ภาษาไทย ง่าย", &["ง่าย", "ภาษา"]),
    ("khmer", "ភាសាខ្មែរ", &["ភាសា"]),
    ("tibetan", "བོད་སྐད", &["སྐད"]),
    ("cjk", "東京都 庁舎", &["東京", "庁舎 東京", "都", "京都"]),
    ("kana", "カ\u{3099}イト ハ\u{309a}ン", &["ガイト", "パン"]),
    (
        "korean",
        "한국어 문서",
        &[
            "한국어",
            "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165}",
            "문서",
        ],
    ),
    (
        "jamo",
        "\u{1106}\u{116e}\u{11ab}\u{1109}\u{1165} \u{1100}\u{1173}\u{11af}",
        &["문서", "글"],
    ),
    ("arabic", "اللُّغة العربية", &["اللُّغة", "العربية"]),
    ("hebrew", "שָׁלוֹם עולם", &["עולם", "שָׁלוֹם"]),
    (
        "greek",
        "ΟΔΟΣ Αθήνα ο\u{313}δο\u{301}ς",
        &["οδος", "ΟΔΟΣ", "οδοσ", "αθήνα", "αθη\u{301}να", "ὀδός"],
    ),
    (
        "cyrillic",
        "Ёлка и\u{306}од",
        &["ёлка", "ЁЛКА", "йод", "ЙОД", "е\u{308}лка"],
    ),
    (
        "turkish",
        "İstanbul Iğdır",
        &["istanbul", "İSTANBUL", "i\u{307}stanbul", "iğdır"],
    ),
    (
        "german",
        "Straße Donau\u{ad}dampf schiff",
        &["straße", "donau", "dampf schiff"],
    ),
    (
        "angstrom",
        "5 \u{212b}ngström 3 k\u{2126}",
        &["ångström", "\u{212b}ngstro\u{308}m", "kω"],
    ),
    ("georgian", "მთავრული ᲛᲗᲐᲕᲠᲣᲚᲘ", &["მთავრული", "ᲛᲗᲐᲕᲠᲣᲚᲘ"]),
    (
        "address",
        "write to ada.lovelace@example.com now",
        &["lovelace", "example.com", "ada.lovelace@example.com"],
    ),
    (
        "names",
        "snake_case_name it's O'Brien state-of-the-art",
        &["case", "brien", "art", "o'brien", "state-of"],
    ),
    (
        "numbers",
        "1º andar n° 5 x² ½ release 1.2.3-rc4",
        &["1º", "x²", "½", "1.2", "rc4"],
    ),
    (
        "emoji",
        "party 🎉 zero\u{200b}width",
        &["party", "width", "zero"],
    ),
];

async fn texts_of_every_script_and_composition_are_found_by_what_they_contain(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "key", "type": "text"}, {"name": "text", "type": "text", "searchable": true}]);
    app.collection("texts", &fields, &open()).await;
    let user = app.register().await;
    for (key, text, _) in TEXTS {
        let stored = user
            .create("texts", &json!({"key": key, "text": text}))
            .await;
        assert_eq!(stored["text"], text);
    }
    let found = async |text: &str| -> Vec<String> {
        let page = user
            .query("/records/texts", &[("search", text), ("limit", "100")])
            .await
            .ok(200);
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut missed = Vec::new();
    for (key, text, words) in TEXTS {
        let own = text
            .split(' ')
            .filter(|word| word.chars().any(char::is_alphanumeric));
        let backwards: String = text.split(' ').rev().collect::<Vec<_>>().join(" ");
        for asked in own
            .chain([text, backwards.as_str()])
            .chain(words.iter().copied())
        {
            let found = found(asked).await;
            if !found.iter().any(|found| found == key) {
                missed.push(format!("{key}: {asked:?} finds {found:?}"));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    for (asked, expected) in [
        ("ça", None),
        ("dampfschiff", None),
        ("cafes", None),
        ("งา", None),
        ("東都", None),
        ("문", Some(2)),
    ] {
        assert_eq!(
            found(asked).await.len(),
            expected.unwrap_or_default(),
            "{asked}"
        );
    }
}
