//! Expressions whose answers are written down; [`super::agreement`] checks them on the databases as well.

use serde_json::{Map, Value, json};

use crate::expr::Auth;

/// The record that the expressions below are about. What is not named is NULL.
pub fn record() -> Map<String, Value> {
    let record = json!({
        "id": "0b", "created_by": "me", "created_at": "2024-05-01T10:00:00.123Z", "n": 7.0, "t": "Abc%",
        "b": true, "public": false, "r": "0c", "j": {"a": 1}, "d": "2024-05-01 12:00:00.1239+02:00", "day": "2024-05-01"
    });
    record.as_object().unwrap().clone()
}

pub fn data() -> Map<String, Value> {
    let data = json!({"n": 3, "t": "x", "u": 5, "b": "yes", "d": "2024-05-01T10:00:00.123Z", "j": [], "m": null});
    data.as_object().unwrap().clone()
}

pub fn caller(groups: &[String]) -> Auth<'_> {
    Auth { id: Some("me"), email: Some("me@example.com"), role: Some("user"), account_id: Some("acc"), groups }
}

const TRUE: Option<bool> = Some(true);
const FALSE: Option<bool> = Some(false);
const NULL: Option<bool> = None;

pub const CASES: &[(&str, Option<bool>)] = &[
    ("n = 7", TRUE),
    ("n != 7", FALSE),
    ("m = 7", NULL),
    ("m != 7", NULL),
    ("m = null", TRUE),
    ("n != null", TRUE),
    ("null = m", TRUE),
    ("null = null", TRUE),
    ("n < null", NULL),
    ("n IN (1, 7, m)", TRUE),
    ("n IN (1, m)", NULL),
    ("n IN (1, null)", NULL),
    ("n IN (1, 't')", FALSE),
    ("n IN (1, u)", NULL),
    ("m IN (1)", NULL),
    ("null IN (1)", NULL),
    ("b", TRUE),
    ("!b", FALSE),
    ("m = 1 && b", NULL),
    ("m = 1 && !b", FALSE),
    ("m = 1 || b", TRUE),
    ("!(m = 1)", NULL),
    ("!n = 8", TRUE),
    ("(m = 1) IS NULL", TRUE),
    ("(n = 7) = b", TRUE),
    ("(n = 7) != public", TRUE),
    ("n = 8 || n = 7 && b", TRUE),
    ("n = 7 || b && public", TRUE),
    ("(n = 7 || b) && public", FALSE),
    ("t = 'Abc%'", TRUE),
    ("t = 'abc%'", FALSE),
    ("t < 'a'", TRUE),
    ("'z' > 'Z' && 'Z' < 'a' && 'ä' > 'z'", TRUE),
    ("@request.auth.id < 'n' && 'ME' < @request.auth.id", TRUE),
    ("t ~ 'aBC_'", TRUE),
    ("t ~ 'abc'", FALSE),
    ("t ~ '%B%'", TRUE),
    (r"t ~ 'abc\\%'", FALSE),
    ("'Ä' ~ 'ä'", FALSE),
    ("u ~ '%'", NULL),
    ("t ~ u", NULL),
    ("'abc%' ~ t", TRUE),
    ("t = n", FALSE),
    ("t != n", TRUE),
    ("t < n", FALSE),
    ("t != m", NULL),
    ("b = 1", FALSE),
    ("n != 'abc'", TRUE),
    ("d = 5", FALSE),
    ("n / 2 = 3.5", TRUE),
    ("n / 0 IS NULL", TRUE),
    ("n % 0 IS NULL", TRUE),
    ("n % 4 = 3 && -n % 4 = -3 && n % -4 = 3", TRUE),
    ("7.5 % 2 = 1.5", TRUE),
    ("n - -n = 14", TRUE),
    ("-(n - 8) = 1", TRUE),
    ("2 + 3 * 4 - 10 / 4 = 11.5", TRUE),
    ("10 - 3 - 2 = 5 && 100 / 10 / 5 = 2", TRUE),
    ("n + m > 0", NULL),
    ("0.1 + 0.2 = 0.3", FALSE),
    ("1000000000000000000000000000000 * n % 3 >= 0", TRUE),
    ("j IS NULL", FALSE),
    ("j != null", TRUE),
    ("r = '0c'", TRUE),
    ("r IN ('0b', id)", FALSE),
    ("d = '2024-05-01T10:00:00.123Z'", TRUE),
    ("d = '2024-05-01T10:00:00.1231'", TRUE),
    ("d = created_at", TRUE),
    ("created_at >= '2024-05-01'", TRUE),
    ("created_at < '2024-05-02'", TRUE),
    ("d > '2024-05-01 13:00+02:00'", FALSE),
    ("day = '2024-05-01'", TRUE),
    ("day = '2024-05-01T00:00Z'", TRUE),
    ("day < d", TRUE),
    ("day IN ('2024-05-02', '2024-05-01')", TRUE),
    ("'2024-05-01' IN (t, day)", TRUE),
    ("e < d", NULL),
    ("e IS NULL", TRUE),
    ("@request.auth.id = created_by", TRUE),
    ("@owns_record", TRUE),
    ("@owns_record(r)", FALSE),
    ("@owns_record(u)", NULL),
    ("@is_public", FALSE),
    ("@has_role('user')", TRUE),
    ("@has_group('g')", TRUE),
    ("@has_group('G')", FALSE),
    ("@request.auth.email", TRUE),
    ("n", TRUE),
    ("n - 7", FALSE),
    ("m", NULL),
    ("''", FALSE),
    ("@request.data.n + 4 = n", TRUE),
    ("@request.data.t = 'x'", TRUE),
    ("@request.data.u IS NULL", TRUE),
    ("@request.data.b", NULL),
    ("@request.data.d = d", TRUE),
    ("@request.data.j IS NULL", FALSE),
    ("@request.data.m IS NULL", TRUE),
    ("@request.data.e = null", TRUE),
    ("full = 'ABC% x'", NULL),
    ("later = '2024-05-08T10:00:00.123Z'", TRUE),
    ("later > d && age > 0", TRUE),
    ("n < length", TRUE),
    ("first = 'bc'", TRUE),
    ("rounded = 2.33", TRUE),
    ("negative = -3", TRUE),
    ("hours = 2.5", TRUE),
    ("never IS NULL", TRUE),
    ("either = 7", TRUE),
    ("chosen", TRUE),
    ("dollars = 'a$log$b$'", TRUE),
];
