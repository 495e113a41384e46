//! HTTP/1.1 over one kept-alive connection, with as little work per request as possible.
//!
//! The generator runs on the cores that it measures, so requests are ready-made bytes, and of a
//! response only the status and the extent of the body are looked at.

use std::io::BufRead as _;
use std::ops::Range;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Anything here may fail for many reasons, and all of them end in one printed line.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Where the server is.
#[derive(Debug, Clone)]
pub struct Target {
    /// `host:port`
    pub authority: String,
    /// Path before `/api/v1`, without a slash at its end
    pub prefix: String,
}

impl Target {
    /// Reads a base URL; only plain HTTP, since TLS would measure something else.
    pub fn parse(url: &str) -> Fallible<Self> {
        let rest = url
            .strip_prefix("http://")
            .ok_or("the URL must start with http://")?;
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if authority.contains(':') { "" } else { ":80" };
        let prefix = prefix.trim_end_matches('/');
        Ok(Self {
            authority: format!("{authority}{port}"),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("/{prefix}")
            },
        })
    }

    /// Appends the head of a request; a body of `length` bytes must follow when there is one.
    pub fn head(
        &self,
        out: &mut Vec<u8>,
        method: &str,
        path: &str,
        token: Option<&str>,
        length: Option<usize>,
    ) {
        let mut head = format!(
            "{method} {}{path} HTTP/1.1\r\nhost: {}\r\n",
            self.prefix, self.authority
        );
        if let Some(token) = token {
            head.push_str("authorization: Bearer ");
            head.push_str(token);
            head.push_str("\r\n");
        }
        if let Some(length) = length {
            head.push_str("content-type: application/json\r\ncontent-length: ");
            head.push_str(&length.to_string());
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        out.extend_from_slice(head.as_bytes());
    }

    /// A connection without Nagle's delay.
    pub async fn connect(&self) -> Fallible<TcpStream> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// One connection and the last response read from it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    body: Range<usize>,
}

impl Connection {
    /// Connects.
    pub async fn open(target: &Target) -> Fallible<Self> {
        Ok(Self::over(target.connect().await?))
    }

    /// Speaks HTTP over an open stream.
    pub const fn over(stream: TcpStream) -> Self {
        Self {
            stream,
            input: Vec::new(),
            body: 0..0,
        }
    }

    /// The stream, and what was read beyond the head of the last response.
    pub fn into_parts(self) -> (TcpStream, Vec<u8>) {
        let rest = self
            .input
            .get(self.body.start..)
            .unwrap_or_default()
            .to_vec();
        (self.stream, rest)
    }

    /// Body of the last response.
    pub fn body(&self) -> &[u8] {
        self.input.get(self.body.clone()).unwrap_or_default()
    }

    /// Sends a request and reads its response; returns the status.
    pub async fn exchange(&mut self, request: &[u8]) -> Fallible<u16> {
        let head = self.start(request).await?;
        let start = head.length;
        match head.body {
            Extent::Known(length) => {
                while self.input.len() < start + length {
                    self.fill().await?;
                }
                self.body = start..start + length;
            }
            Extent::Chunked => {
                let mut chunks = Chunks::default();
                let mut body = Vec::new();
                let mut seen = start;
                loop {
                    chunks.feed(self.input.get(seen..).unwrap_or_default(), &mut body)?;
                    seen = self.input.len();
                    if chunks.finished() {
                        break;
                    }
                    self.fill().await?;
                }
                self.input = body;
                self.body = 0..self.input.len();
            }
        }
        Ok(head.status)
    }

    /// Sends a request and reads only the head of the response, for streams and upgrades.
    pub async fn start(&mut self, request: &[u8]) -> Fallible<Head> {
        self.input.clear();
        self.stream.write_all(request).await?;
        loop {
            self.fill().await?;
            if let Some(head) = Head::parse(&self.input)? {
                self.body = head.length..head.length;
                return Ok(head);
            }
        }
    }

    async fn fill(&mut self) -> Fallible<()> {
        self.input.reserve(16 * 1024);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}

/// What is needed of a response's head.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// Status code
    pub status: u16,
    /// Bytes up to and with the empty line
    pub length: usize,
    /// How the body ends
    pub body: Extent,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// After this many bytes
    Known(usize),
    /// With an empty chunk
    Chunked,
}

impl Head {
    /// Nothing while the empty line has not arrived.
    fn parse(input: &[u8]) -> Fallible<Option<Self>> {
        let mut rest = input;
        let mut status = 0;
        let mut body = Extent::Known(0);
        loop {
            let line = rest;
            // `skip_until` is the standard library's fast search for one byte.
            let length = rest.skip_until(b'\n')?;
            let line = line.get(..length).unwrap_or_default();
            match line {
                b"\r\n" if status == 101 || status == 204 || status == 304 => {
                    return Ok(Some(Self {
                        status,
                        length: input.len() - rest.len(),
                        body: Extent::Known(0),
                    }));
                }
                b"\r\n" => {
                    return Ok(Some(Self {
                        status,
                        length: input.len() - rest.len(),
                        body,
                    }));
                }
                [.., b'\n'] if status == 0 => {
                    let code = line.get(9..12).ok_or("not an HTTP response")?;
                    status = std::str::from_utf8(code)?.parse()?;
                }
                [b'c' | b'C', .., b'\n'] => {
                    if let Some(value) = header(line, "content-length:") {
                        body = Extent::Known(value.parse()?);
                    }
                }
                [b't' | b'T', .., b'\n'] => {
                    if header(line, "transfer-encoding:")
                        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
                    {
                        body = Extent::Chunked;
                    }
                }
                [.., b'\n'] => {}
                _ => return Ok(None),
            }
        }
    }
}

fn header<'a>(line: &'a [u8], name: &str) -> Option<&'a str> {
    let (key, value) = line.split_at_checked(name.len())?;
    if !key.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::trim)
}

/// Takes the chunk framing off a body that arrives in pieces.
#[derive(Debug, Default)]
pub struct Chunks {
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    First,
    Size(usize),
    Data(usize),
    DataEnd,
    End,
    Finished,
}

impl Chunks {
    /// Appends the content of `input` to `out`.
    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Fallible<()> {
        while let Some((&byte, rest)) = input.split_first() {
            match self.state {
                State::First | State::Size(_) => {
                    let size = if let State::Size(size) = self.state {
                        size
                    } else {
                        0
                    };
                    self.state = match byte {
                        b'\n' if size == 0 => State::End,
                        b'\n' => State::Data(size),
                        b'\r' => State::Size(size),
                        _ => {
                            let digit = char::from(byte)
                                .to_digit(16)
                                .ok_or("a chunk size is not a number")?;
                            State::Size(size * 16 + usize::try_from(digit)?)
                        }
                    };
                    input = rest;
                }
                State::Data(left) => {
                    let (data, rest) = input.split_at(left.min(input.len()));
                    out.extend_from_slice(data);
                    input = rest;
                    self.state = if data.len() == left {
                        State::DataEnd
                    } else {
                        State::Data(left - data.len())
                    };
                }
                State::DataEnd | State::End => {
                    if byte == b'\n' {
                        let ended = self.state == State::End;
                        self.state = if ended { State::Finished } else { State::First };
                    }
                    input = rest;
                }
                State::Finished => break,
            }
        }
        Ok(())
    }

    /// Whether the last chunk has been seen.
    pub fn finished(&self) -> bool {
        self.state == State::Finished
    }
}
