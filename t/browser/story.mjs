// story.mjs - the life of a token in Chromium, and every page under axe; pages_story.t starts the server and this.
import { readFileSync } from "fs";
import { spawnSync } from "child_process";
import { join } from "path";
import { chromium, code, launch, ok, site } from "./common.mjs";

const axe = readFileSync(join(site.modules, "axe-core/axe.min.js"), "utf8");

function twine(url, token, file) {
  const ran = spawnSync("twine", ["upload", "--non-interactive", "--disable-progress-bar", "--repository-url", url, file],
                        { encoding: "utf8", env: { ...process.env, TWINE_USERNAME: "__token__", TWINE_PASSWORD: token } });
  return { status: ran.status, said: ran.stdout + ran.stderr };
}

let shot = 0;
async function picture(page, name) {
  await page.screenshot({ path: join(site.shots, `${name}.png`), fullPage: true });
  shot += 1;
}

// Nothing is wider than the window: no page scrolls sideways. A click goes on before the style sheet is there.
async function narrow(page, name) {
  let wide, seen;
  await page.waitForLoadState("load");
  for (let i = 0; i < 50; i += 1) {
    [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    if (wide <= seen) {
      break;
    }
    await page.waitForTimeout(100);
  }
  ok(wide <= seen, `${name}: fits its window`, `${wide} in ${seen}`);
}

// Sign in, a token for one project, copied from the page, an upload with it, its last use, its end.
async function story(browser, name, mount, user, options) {
  const me = site.users[user], base = site.base + mount, basic = Boolean(options.httpCredentials);
  const context = await browser.newContext(options), page = await context.newPage();
  const elsewhere = [];
  context.on("request", (r) => r.url().startsWith(site.base) || elsewhere.push(r.url()));
  await page.goto(base + "sign-in");
  if (basic) {
    await page.click('a[href$="/basic"]');
  } else {
    await page.fill("#user", user);
    await page.fill("#password", me.password);
    await page.fill("#code", code(user));
    await picture(page, `${name}-1-sign-in`);
    await page.click("main button");
  }
  ok(page.url() === base && (await page.textContent("main strong")) === user, `${name}: signed in`, page.url());
  await picture(page, `${name}-2-account`);
  await page.click('nav a[href$="tokens"]');
  await page.click('a[href$="tokens/new"]');
  await page.fill("#name", "the laptop");
  await page.fill("#q", user);
  await page.click('button[value="find"]');
  ok((await page.inputValue("#name")) === "the laptop", "  finding a project keeps what was typed");
  await page.check(`input[value="${me.project}"]`);
  await page.check("#scope-projects");
  await narrow(page, "  the form");
  await picture(page, `${name}-3-form`);
  await page.click('button:text("Make the token")');
  const token = (await page.textContent("#token")).trim();
  ok(/^pypi-[\w-]{80,}$/.test(token), "  the token is on the page");
  const text = await page.textContent("main");
  const url = /TWINE_REPOSITORY_URL=(\S+)/.exec(text)[1];
  ok(url === site.base + "/legacy/", "  and the upload URL for this index", url);
  await narrow(page, "  the page with the token");
  await page.evaluate(() => { document.querySelector("#token").textContent = "pypi-(the token)"; });
  await picture(page, `${name}-4-token`);
  let up = twine(url, token, me.files[0]);
  ok(up.status === 0, "  twine uploads with it", up.said);
  for (let i = 0; i < 40; i++) {
    await page.goto(base + "tokens");
    if ((await page.textContent("main")).includes(`${me.project.replace("-", "_")}-1.0.tar.gz`)) {
      break;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  const list = await page.textContent("main");
  ok(list.includes(`${me.project.replace("-", "_")}-1.0.tar.gz`) && list.includes("127.0.0.1") && list.includes("twine/"),
     "  the list shows that use: file, address and client", list);
  await narrow(page, "  the list");
  await picture(page, `${name}-5-used`);
  await page.goto(`${base}projects/${me.project}`);
  const project = await page.textContent("main");
  ok(project.includes("the laptop") && project.includes(`${me.project.replace("-", "_")}-1.0.tar.gz`), "  the project's page has the token and the upload", project);
  await narrow(page, "  the project's page");
  await picture(page, `${name}-6-project`);
  await page.goto(base + "tokens");
  await page.click('a:text("the laptop")');
  await picture(page, `${name}-7-one`);
  await page.click("button.danger");
  ok(page.url() === base + "tokens" && (await page.textContent("main")).includes("There is none"), "  revoked", page.url());
  up = twine(url, token, me.files[1]);
  ok(up.status !== 0 && /403/.test(up.said) && /revoked/.test(up.said), "  twine is refused, and told why", up.said);
  await page.goto(base + "events");
  const events = await page.textContent("main");
  ok(["Token made", "Upload accepted", "Token revoked", "Upload refused", "Signed in"].every((w) => events.includes(w)),
     "  all of it is on record", events);
  await narrow(page, "  the record");
  await picture(page, `${name}-8-events`);
  ok(!(await page.content()).includes(token.slice(-20)), "  without the token");
  ok(elsewhere.filter((u) => !u.endsWith("/favicon.ico")).length === 0, "  nothing was asked from elsewhere", elsewhere);
  if (basic) {
    ok((await context.cookies()).length === 0, "  without a cookie");
  }
  await context.close();
}

// At twice the size, in a window of 640 px: letters alone, as some browsers have it, then everything.
async function large(page, name) {
  await page.setViewportSize({ width: 640, height: 800 });
  for (const [what, style, value] of [["letters", "fontSize", "200%"], ["all of it", "zoom", "2"]]) {
    await page.evaluate(([s, v]) => { document.documentElement.style[s] = v; }, [style, value]);
    await narrow(page, `${name}, ${what} at 200 %`);
    const [size, lean] = await page.evaluate(() => {
      const box = document.querySelector("h1").getBoundingClientRect();
      return [parseFloat(getComputedStyle(document.querySelector("main")).fontSize), box.height];
    });
    ok(style === "zoom" ? lean > 50 : size === 32, "  it is", `${size} ${lean}`);
    await page.evaluate((s) => { document.documentElement.style[s] = ""; }, style);
  }
}

async function look(page, name, scheme) {
  await page.waitForLoadState("load");
  await page.emulateMedia({ colorScheme: scheme });
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  ok(found.violations.length === 0 && found.passes.length > 5, `axe, ${scheme}: ${name}`,
     found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html + " " + n.failureSummary).join("\n")}`).join("\n"));
}

// Every page that there is, and what forms answer with, light and dark; then zoomed and narrow.
async function pages(browser) {
  const user = "olga", me = site.users[user], base = site.base + "/account/";
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 } }), page = await context.newPage();
  const seen = [];
  async function both(name) {
    for (const scheme of ["light", "dark"]) {
      await look(page, name, scheme);
      await picture(page, `page-${name.replace(/\W+/g, "-")}-${scheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 320, height: 640 });
    await narrow(page, `${name} at 320 px`);
    await large(page, name);
    await page.setViewportSize({ width: 1100, height: 800 });
    seen.push(name);
  }
  await page.goto(base + "sign-in");
  await both("sign-in");
  await page.fill("#user", user);
  await page.fill("#password", "wrong");
  await page.click("main button");
  ok(await page.isVisible("#password-wrong"), "what is wrong stands beside the field");
  await both("sign-in, refused");
  await page.fill("#password", me.password);
  await page.fill("#code", code(user));
  await page.click("main button");
  for (const path of site.paths) {
    await page.goto(base + path);
    await both(path || "account");
  }
  await page.goto(base + "nothing");
  await both("not found");
  await page.goto(base + "tokens/new");
  await page.fill("#name", "x");
  await page.check("#scope-all");
  await page.click("summary");
  await page.fill("#networks", "10.0.0.1/8");
  await page.click('button:text("Make the token")');
  ok(await page.isVisible("#networks-wrong"), "what is wrong stands beside its field, which is open");
  await both("new token, refused");
  await page.fill("#networks", "");
  await page.fill("#files", "demo-1.0.tar.gz");
  await page.click('button:text("Make the token")');
  ok(await page.isVisible("#files-wrong"), "  likewise for the files");
  await both("new token, files refused");
  await page.fill("#files", "");
  await page.fill("#uses", "3");
  await page.click('button:text("Make the token")');
  await page.evaluate(() => { document.querySelector("#token").textContent = "pypi-" + "A".repeat(180); });
  await both("token, once");
  await page.goto(base + "projects/" + me.project);
  await page.fill("#user", "nobody-like-this");
  await page.click("form.box button");
  await both("role, refused");
  await page.goto(base + "admin/tokens");
  await page.fill("#what", site.token);
  await page.click('button[value="look"]');
  await both("a token found");
  // the keyboard shows where it is
  await page.goto(base + "tokens");
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  ok(outline === "solid", "where the keyboard is can be seen", outline);
  ok(seen.length > 18, `${seen.length} pages were looked at`);
  await context.close();
}

const browser = await chromium.launch(launch);
await story(browser, "wide", "/account/", "alice", {});
await story(browser, "plain", "/filtered/", "bob", {
  javaScriptEnabled: false,
  httpCredentials: { username: "bob", password: site.users.bob.password + code("bob") },
});
await story(browser, "phone", "/account/", "carol", { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
await pages(browser);
await browser.close();
ok(shot > 40, `${shot} pictures`);
ok(true, "the end was reached");
