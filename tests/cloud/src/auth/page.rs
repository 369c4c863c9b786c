//! The sign-in page of the browser flow: one button in place of a password, for there is one user.

use super::form::Fields;

/// Escapes text for HTML, attributes included.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:28em;margin:15vh auto;padding:0 1em}}\
         button{{font:inherit;padding:.6em 1.4em;margin:1em .5em 0 0}}</style></head>\
         <body><h1>{title}</h1>{body}</body></html>",
        title = escape(title),
    )
}

/// The page that asks whether `client` may sign in; its form repeats the request's parameters.
pub fn sign_in(user: &str, client: &str, parameters: &Fields) -> String {
    let mut hidden = String::new();
    for (name, value) in parameters.iter() {
        hidden.push_str(&format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        ));
    }
    let body = format!(
        "<p>This is a local cloud on your own machine. The program <b>{}</b> asks to sign in as <b>{}</b>.</p>\
         <form method=\"post\">{hidden}<button name=\"answer\" value=\"allow\">Sign in</button>\
         <button name=\"answer\" value=\"deny\">Cancel</button></form>",
        escape(client),
        escape(user)
    );
    frame("Sign in", &body)
}

/// The page that says what was wrong with a request that must not be redirected.
pub fn refusal(message: &str) -> String {
    frame("We are sorry...", &format!("<p>{}</p>", escape(message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_cannot_break_out_of_the_form() {
        let fields = Fields::parse("state=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
        let page = sign_in("user", "desktop", &fields);
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("&quot;&gt;&lt;script&gt;"), "{page}");
    }
}
