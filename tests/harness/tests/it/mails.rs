use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::MultiPart};
use steward_harness::MailSink;

const SOON: Duration = Duration::from_secs(5);

fn message() -> Message {
    let body = MultiPart::alternative_plain_html("水管已修好。\n.\n".to_owned(), "<p>水管已修好。</p>".to_owned());
    let message = Message::builder().from("管家 <steward@example.com>".parse().unwrap()).to("wang@example.com".parse().unwrap());
    message.subject("您的工单 WO-2026-000001 已完成").multipart(body).unwrap()
}

#[tokio::test]
async fn a_mail_in_chinese_arrives_readable() {
    let sink = MailSink::start().await.unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&sink.url()).unwrap().build();
    transport.send(message()).await.unwrap();
    let mail = sink.wait_for(SOON, |mail| mail.to == ["wang@example.com"]).await.unwrap();
    assert_eq!(mail.from, "steward@example.com");
    assert_eq!(mail.subject(), "您的工单 WO-2026-000001 已完成");
    assert!(mail.text().contains("<p>水管已修好。</p>"), "{}", mail.text());
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test]
async fn a_refused_mail_is_not_kept_and_the_next_one_is() {
    let sink = MailSink::start().await.unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&sink.url()).unwrap().build();
    sink.refuse_next(1, false);
    assert!(transport.send(message()).await.unwrap_err().is_transient());
    sink.refuse_next(1, true);
    assert!(transport.send(message()).await.unwrap_err().is_permanent());
    transport.send(message()).await.unwrap();
    assert_eq!(sink.mails().len(), 1);
}
