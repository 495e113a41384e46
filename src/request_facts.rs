//! The facts of a request that outlive it. Figures, the audit trail, sessions, the list of requests
//! and the log take nothing else of what a client sends about itself.
//!
//! [`RequestFacts::new`] is the one place that makes them. Each fact is from a fixed list or is cut
//! and copied, so that it is small and does not keep alive the buffer that the request was read
//! into. The HTTP layer reads the head of a request and hands the texts in.

use std::net::IpAddr;
use std::sync::Arc;

/// Upper limit of a correlation id that is taken from a client, in characters.
const MAX_CORRELATION_ID_CHARS: usize = 128;
/// Upper limit of the part of a `User-Agent` that is kept, in characters.
const MAX_USER_AGENT_CHARS: usize = 255;
/// The route of a request that no route matches.
const UNMATCHED_ROUTE: &str = "unmatched";

/// A method out of the fixed list of those that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestMethod {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
    /// `OPTIONS`.
    Options,
    /// Every other method, whatever its name.
    Other,
}

impl RequestMethod {
    /// The member of the list for the method of this name; names are case-sensitive.
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// The name; `other` for what is not in the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        }
    }
}

/// The texts that a client sends about itself, as they arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestOrigin<'a> {
    /// The address of the client, as far as it is known.
    pub address: Option<IpAddr>,
    /// The id that the client gives the request.
    pub correlation_id: Option<&'a [u8]>,
    /// The name that the client gives itself.
    pub user_agent: Option<&'a str>,
}

/// What is remembered of a request.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    method: RequestMethod,
    route: Box<str>,
    correlation_id: Box<str>,
    address: Option<IpAddr>,
    user_agent: Option<Box<str>>,
}

tokio::task_local! {
    static CURRENT: Arc<RequestFacts>;
}

impl RequestFacts {
    /// The facts of a request. `route` is the template that matched, never the path as it was sent.
    /// A correlation id that is too long or not of visible ASCII is replaced by a new one.
    pub fn new(method: RequestMethod, route: Option<&str>, origin: RequestOrigin<'_>) -> Self {
        let correlation_id = origin.correlation_id.and_then(fitting_correlation_id);
        Self {
            method,
            route: route.unwrap_or(UNMATCHED_ROUTE).into(),
            correlation_id: correlation_id.unwrap_or_else(new_correlation_id),
            address: origin.address,
            user_agent: origin.user_agent.map(cut_user_agent),
        }
    }

    /// The method.
    pub fn method(&self) -> RequestMethod {
        self.method
    }

    /// The template of the route, such as `/api/v1/records/{collection}`; `unmatched` if there is
    /// none.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The id that the answer and the log carry: the client's, if it sent a fitting one. Visible
    /// ASCII.
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// The address of the client, as far as it is known.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// What the client calls itself, cut to 255 characters.
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// Serves the request: [`RequestFacts::current`] answers these facts to whatever runs inside.
    pub fn scope<F: Future>(self: Arc<Self>, serving: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, serving)
    }

    /// The facts of the request that this task serves; `None` in a command or in the background.
    /// They say where something came from, never what is allowed.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }
}

fn fitting_correlation_id(sent: &[u8]) -> Option<Box<str>> {
    let fits = (1..=MAX_CORRELATION_ID_CHARS).contains(&sent.len())
        && sent.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(sent)
        .ok()
        .filter(|_| fits)
        .map(Into::into)
}

fn new_correlation_id() -> Box<str> {
    let id = crate::id::new_id().simple().to_string();
    format!("cid_{}", &id[20..]).into()
}

fn cut_user_agent(agent: &str) -> Box<str> {
    match agent.char_indices().nth(MAX_USER_AGENT_CHARS) {
        Some((end, _)) => agent[..end].into(),
        None => agent.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(origin: RequestOrigin<'_>) -> RequestFacts {
        RequestFacts::new(RequestMethod::Get, Some("/api/v1/users"), origin)
    }

    #[test]
    fn every_method_has_one_of_eight_names() {
        for name in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert_eq!(RequestMethod::of(name).name(), name);
        }
        for name in [
            "TRACE",
            "CONNECT",
            "PROPFIND",
            "get",
            "G",
            &"M".repeat(60_000),
        ] {
            assert_eq!(RequestMethod::of(name).name(), "other");
        }
    }

    #[test]
    fn long_user_agents_are_cut_and_short_ones_kept() {
        let long = "u".repeat(200_000);
        let facts_of = |agent| {
            facts(RequestOrigin {
                user_agent: Some(agent),
                ..RequestOrigin::default()
            })
        };
        assert_eq!(
            facts_of(&long).user_agent(),
            Some(&long[..MAX_USER_AGENT_CHARS])
        );
        assert_eq!(facts_of("Tests/1.0").user_agent(), Some("Tests/1.0"));
        assert_eq!(facts(RequestOrigin::default()).user_agent(), None);
    }

    #[test]
    fn a_correlation_id_is_taken_over_only_if_it_is_short_and_plain() {
        let id_of = |sent| {
            let origin = RequestOrigin {
                correlation_id: Some(sent),
                ..RequestOrigin::default()
            };
            facts(origin).correlation_id().to_owned()
        };
        let longest = "x".repeat(MAX_CORRELATION_ID_CHARS);
        for sent in ["mine", "cid_0123456789ab", "a/b:c=d,e;f", &longest] {
            assert_eq!(id_of(sent.as_bytes()), sent);
        }
        let too_long = format!("{longest}x");
        for sent in [
            &b""[..],
            b"two words",
            b"tab\there",
            b"\xe4",
            "ü".as_bytes(),
            too_long.as_bytes(),
        ] {
            let id = id_of(sent);
            assert!(id.starts_with("cid_") && id.len() == 16, "{id}");
        }
        assert_eq!(facts(RequestOrigin::default()).correlation_id().len(), 16);
    }

    #[test]
    fn a_path_that_no_route_matches_is_not_kept() {
        let facts = RequestFacts::new(RequestMethod::Get, None, RequestOrigin::default());
        assert_eq!(facts.route(), "unmatched");
    }
}
