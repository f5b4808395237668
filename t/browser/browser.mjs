// browser.mjs - the pages for people in Chromium; browser.t starts the server and this.
import { mkdirSync, mkdtempSync, writeFileSync } from "fs";
import { join } from "path";
import { chromium, code, launch, ok, site } from "./common.mjs";

function is(got, want, name) {
  ok(got === want, name, `got ${got}, want ${want}`);
}

// A context whose pages may talk to nobody else and complain about nothing.
function watch(context, base) {
  const seen = { elsewhere: [], complaints: [] };
  context.on("request", (r) => r.url().startsWith(base) || seen.elsewhere.push(r.url()));
  context.on("console", (m) => /Content.Security.Policy|Refused to/.test(m.text()) && seen.complaints.push(m.text()));
  return seen;
}

function quiet(seen, name) {
  is(seen.elsewhere.filter((u) => !u.endsWith("/favicon.ico")).join(), "", name + ": nothing is asked from elsewhere");
  is(seen.complaints.join(), "", "  and nothing breaks the page's own policy");
}

async function type(page, user, password, typed) {
  await page.fill("#user", user);
  await page.fill("#password", password);
  await page.fill("#code", typed);
  await page.click("button");
}

async function form(browser, name, base, user, options, cookie) {
  const context = await browser.newContext(options);
  const seen = watch(context, base), page = await context.newPage(), typed = code(user);
  await page.goto(base + "/account/");
  is(page.url(), base + "/account/sign-in", name + ": nobody is signed in, the form");
  await type(page, user, site.users[user].password, typed);
  is(page.url(), base + "/account/", "  password and code: the first page");
  is(await page.textContent("main strong"), user, "  says who is signed in");
  ok((await page.textContent("main")).includes("with password and code"), "  and how");
  const held = (await context.cookies()).find((c) => c.name === cookie);
  ok(held && held.httpOnly && held.sameSite === "Strict" && held.secure === base.startsWith("https") && held.path === "/",
     "  the cookie is " + cookie, JSON.stringify(held));
  is(held && held.expires, -1, "  and goes with the browser");
  await page.click("button");
  ok((await page.textContent("main")).includes("You are signed out"), "  signed out");
  await page.goto(base + "/account/");
  is(page.url(), base + "/account/sign-in", "  nobody is signed in");
  await page.goBack();
  await page.goBack();
  ok(!(await page.content()).includes("<strong>"), "  and going back shows nothing");
  await page.goto(base + "/account/sign-in");
  await type(page, user, site.users[user].password, typed);
  is(page.url(), base + "/account/sign-in", "  the same code again: refused");
  quiet(seen, "  " + name);
  await context.close();
}

async function wrong(browser, base, user) {
  const context = await browser.newContext(), page = await context.newPage();
  const good = site.users[user].password, bad = code(user) === "000000" ? "111111" : "000000";
  const cases = [["a wrong code", good, bad], ["no code", good, ""], ["a wrong password", good + "x", code(user)]];
  for (const [name, password, typed] of cases) {
    await page.goto(base + "/account/sign-in");
    await type(page, user, password, typed);
    is(page.url(), base + "/account/sign-in", name + ": not signed in");
    const said = await page.textContent("[role=alert]");
    ok(said.includes("Wrong user name, password or code"), "  told that something was wrong, not what", said);
    is(await page.inputValue("#user"), user, "  the name stays");
    is(await page.inputValue("#password"), "", "  the password does not");
  }
  await page.goto(base + "/account/sign-in");
  await type(page, "__token__", site.token, "");
  ok((await page.textContent("[role=alert]")).includes("API tokens are valid for uploads only"), "a token: refused");
  await context.close();
}

async function expired(browser, base, user) {
  const context = await browser.newContext(), page = await context.newPage();
  await page.goto(base + "/brief/");
  await type(page, user, site.users[user].password, code(user));
  is(page.url(), base + "/brief/", "a session of three seconds");
  const end = Date.now() + 15000;
  while (page.url() === base + "/brief/" && Date.now() < end) {
    await page.waitForTimeout(200);
    await page.goto(base + "/brief/");
  }
  is(page.url(), base + "/brief/sign-in", "  ends by itself, with the form");
  await context.close();
}

// Where cookies get lost on the way, as a privacy filter has it: the form says why it fails, and the browser's own
// dialog takes its place.
async function lost(browser, base, user, scripts) {
  const context = await browser.newContext({
    javaScriptEnabled: scripts,
    httpCredentials: { username: user, password: site.users[user].password + code(user) },
  });
  const page = await context.newPage(), name = "no cookies" + (scripts ? "" : ", no JavaScript");
  await page.goto(base + "/filtered/sign-in");
  await type(page, user, "whatever-it-is", "");
  ok((await page.textContent("[role=alert]")).includes("did not send back the cookie"), name + ": the form says why it fails");
  await page.click('a[href$="/basic"]');
  is(page.url(), base + "/filtered/", "  the browser's dialog, password and code: in");
  ok((await page.textContent("main")).includes("own dialog"), "  and the page says so");
  for (let i = 0; i < 3; i++) {
    await page.goto(base + "/filtered/");
  }
  is(await page.textContent("main strong"), user, "  page after page with the same code");
  is((await context.cookies()).length, 0, "  without a cookie");
  await page.click("button");
  ok((await page.textContent("main")).includes("told to forget"), "  and out again");
  await context.close();
}

// Chromium that blocks all cookies also keeps Basic credentials to itself: all that is left is to say so.
async function blocked(base, user) {
  const profile = mkdtempSync(join(site.work, "profile-"));
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"),
                JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
  const context = await chromium.launchPersistentContext(profile, launch);
  const page = await context.newPage();
  await page.goto(base + "/account/sign-in");
  await type(page, user, "whatever-it-is", "");
  const said = await page.textContent("[role=alert]");
  ok(said.includes("did not send back the cookie") && said.includes("Allow cookies for this site"),
     "Chromium blocks all cookies: the form says what to do", said);
  is((await context.cookies()).length, 0, "  and there is no cookie");
  await context.close();
}

const browser = await chromium.launch(launch);
const cookie = "pypitoken-session";
await form(browser, "the form", site.base, "alice", {}, cookie);
await form(browser, "without JavaScript", site.base, "bob", { javaScriptEnabled: false }, cookie);
await form(browser, "over TLS", site.tls, "carol", { ignoreHTTPSErrors: true }, "__Host-" + cookie);
await wrong(browser, site.base, "dave");
await expired(browser, site.base, "erin");
await lost(browser, site.base, "frank", true);
await lost(browser, site.base, "grace", false);
await browser.close();
await blocked(site.base, "dave");
ok(true, "the end was reached");
