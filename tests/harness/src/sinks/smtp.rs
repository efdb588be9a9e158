//! A small SMTP server: accepts every mail, keeps it, and refuses when told to.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{mail::Mail, received::Received};

/// A real SMTP server on a port of this machine; stops when dropped.
#[derive(Debug)]
pub struct MailSink {
    address: SocketAddr,
    state: State,
    stop: CancellationToken,
}

#[derive(Debug, Clone)]
struct State {
    received: Received<Mail>,
    /// Mails still to be refused, and with which answer.
    refusals: Arc<AtomicU32>,
    refusal_is_final: Arc<AtomicU32>,
    keep_in: Option<PathBuf>,
}

impl MailSink {
    /// Starts on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_at(0, None).await
    }

    /// Starts on `port`, and also keeps each mail as a file in `keep_in`.
    pub async fn start_at(port: u16, keep_in: Option<PathBuf>) -> Result<Self> {
        if let Some(dir) = &keep_in {
            tokio::fs::create_dir_all(dir).await.with_context(|| format!("making {}", dir.display()))?;
        }
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| format!("listening for mail on port {port}"))?;
        let address = listener.local_addr()?;
        let state = State { received: Received::new(), refusals: Arc::default(), refusal_is_final: Arc::default(), keep_in };
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(serve(listener, state.clone(), stop.clone(), tasks.clone()));
        Ok(Self { address, state, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `smtp://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Every mail so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.received.all()
    }

    /// Looks into the letter box later, from anywhere.
    pub fn reader(&self) -> impl Fn() -> Vec<Mail> + Send + Sync + 'static {
        let received = self.state.received.clone();
        move || received.all()
    }

    /// The first mail, past or coming, that `is_it` accepts.
    pub async fn wait_for(&self, patience: Duration, is_it: impl Fn(&Mail) -> bool) -> Result<Mail> {
        self.state.received.wait_for(patience, is_it).await
    }

    /// Refuses the next `count` mails: for now (451, worth another try) or for good (550).
    pub fn refuse_next(&self, count: u32, is_final: bool) {
        self.state.refusal_is_final.store(u32::from(is_final), Ordering::SeqCst);
        self.state.refusals.store(count, Ordering::SeqCst);
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener, state: State, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // A connection that failed before it was accepted is the caller's matter.
        if let Ok((stream, _)) = stream {
            let (state, stop) = (state.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    // A broken conversation is not a mail; the sender sees it and tries again.
                    _ended = converse(stream, state) => {}
                }
            });
        }
    }
}

/// One conversation, RFC 5321 as far as a client of ours goes.
async fn converse(stream: TcpStream, state: State) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let (mut from, mut to) = (String::new(), Vec::new());
    write.write_all(b"220 sink ready\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n".to_owned(),
            "HELO" | "NOOP" => "250 ok\r\n".to_owned(),
            "RSET" => {
                from.clear();
                to.clear();
                "250 ok\r\n".to_owned()
            }
            "MAIL" => {
                from = address_in(command);
                to.clear();
                "250 ok\r\n".to_owned()
            }
            "RCPT" => {
                to.push(address_in(command));
                "250 ok\r\n".to_owned()
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let data = read_data(&mut lines).await?;
                accept(&state, Mail { from: std::mem::take(&mut from), to: std::mem::take(&mut to), data }).await?
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _unknown => "502 not known here\r\n".to_owned(),
        };
        write.write_all(answer.as_bytes()).await?;
    }
}

async fn accept(state: &State, mail: Mail) -> Result<String> {
    let refused = state.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if refused {
        let is_final = state.refusal_is_final.load(Ordering::SeqCst) == 1;
        return Ok(if is_final { "550 no such mailbox\r\n" } else { "451 try again later\r\n" }.to_owned());
    }
    if let Some(dir) = &state.keep_in {
        let file = dir.join(format!("{}.eml", uuid::Uuid::now_v7()));
        tokio::fs::write(&file, &mail.data).await.with_context(|| format!("writing {}", file.display()))?;
    }
    state.received.push(mail);
    Ok("250 kept\r\n".to_owned())
}

/// Lines up to the lone dot, dots unstuffed.
async fn read_data(lines: &mut (impl AsyncBufReadExt + Unpin)) -> Result<String> {
    let mut data = String::new();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        anyhow::ensure!(lines.read_until(b'\n', &mut bytes).await? > 0, "the sender hung up within a mail");
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim_end_matches(['\r', '\n']);
        if line == "." {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(line));
        data.push('\n');
    }
}

/// `MAIL FROM:<a@b> BODY=8BITMIME` -> `a@b`
fn address_in(command: &str) -> String {
    let inside = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
