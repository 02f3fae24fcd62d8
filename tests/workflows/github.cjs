// A pull request on GitHub as a script of actions/github-script meets it, at its strictest: pages, limits, foreign comments.
// Reads its comments from stdin and prints what they are after the script named by the first argument.
"use strict";

const { readFileSync } = require("node:fs");
const { resolve } = require("node:path");

const OWN = "github-actions[bot]";
const PAGE = 2;
const comments = JSON.parse(readFileSync(0, "utf8"));

function refuse(status, why) {
  throw Object.assign(new Error(why), { status });
}

function here({ owner, repo, issue_number = 7 }) {
  if (owner !== "platform" || repo !== "infrastructure" || issue_number !== 7) refuse(404, "Not Found");
}

function accepted(body) {
  if (!body || body.length > 65536) refuse(422, "Validation Failed: body is too long (maximum is 65536 characters)");
  return body;
}

const issues = {
  listComments: async ({ page = 1, ...thread }) => {
    here(thread);
    return { data: comments.slice((page - 1) * PAGE, page * PAGE) };
  },
  createComment: async ({ body, ...thread }) => {
    here(thread);
    comments.push({ id: comments.length + 1, user: { login: OWN }, body: accepted(body) });
  },
  updateComment: async ({ comment_id, body, ...thread }) => {
    here(thread);
    const found = comments.find((each) => each.id === comment_id) ?? refuse(404, "Not Found");
    if (found.user?.login !== OWN) refuse(403, "Resource not accessible by integration");
    found.body = accepted(body);
  },
};

async function paginate(method, parameters) {
  const all = [];
  for (let page = 1; ; page += 1) {
    const { data } = await method({ ...parameters, page });
    if (data.length === 0) return all;
    all.push(...data);
  }
}

const github = { rest: { issues }, paginate };
const context = {
  repo: { owner: "platform", repo: "infrastructure" },
  issue: { number: 7 },
  serverUrl: "https://github.com",
  runId: 42,
};

require(resolve(process.argv[2]))({ github, context }).then(() => console.log(JSON.stringify(comments)));
