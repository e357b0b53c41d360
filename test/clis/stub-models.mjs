#!/usr/bin/env node

// stub-models.mjs: an offline stand-in for the model APIs that coding-agent CLIs call.
//
// It speaks just enough of four wire formats for the real CLIs to run end to end:
//   Anthropic  POST .../v1/messages (JSON and SSE), .../v1/messages/count_tokens     claude
//   OpenAI     POST .../v1/responses (JSON and SSE)                                  codex
//   OpenAI     POST .../v1/chat/completions (JSON and SSE)                           opencode, copilot
//   Gemini     POST .../v1beta/models/NAME:generateContent | :streamGenerateContent
//              | :countTokens                                                        gemini
//   any        GET  .../models
// No dependencies; binds 127.0.0.1 only; holds nothing on disk unless STUB_LOG is set.
//
// Start
//   node stub-models.mjs                 prints one line: {"port":43121,"url":"http://127.0.0.1:43121"}
//   STUB_PORT=9999 node stub-models.mjs  fixed port (0, the default, means any free one)
//   STUB_SCENARIO=e429                   default scenario for requests that name none (default: text)
//   STUB_LOG=FILE                        append one JSON line per request
//   or: import { startStub } from './stub-models.mjs'; const s = await startStub(); ...; await s.close()
//
// Which scenario a request gets, first match wins
//   1. path prefix   base URL http://127.0.0.1:PORT/s/SCENARIO  (one server can serve many tests at once)
//   2. API key       the key (or bearer token) is "stub-SCENARIO"
//   3. the default   STUB_SCENARIO, or PUT /__stub/default {"scenario":"NAME"}
//
// Built-in scenarios
//   text                 one final text
//   write                tool call: write a file (hello.txt), then the final text
//   shell                tool call: run `ls`, then the final text
//   read                 tool call: read README.md, then the final text
//   readout              tool call: read /etc/hostname (a path outside any workspace), then the final text
//   writeout             tool call: write /etc/stub-should-not-exist, then the final text
//   multi                write, then shell, then the final text
//   loop                 shell tool call for ever (for turn and budget limits)
//   structured           the final answer as the smallest JSON value that fits the schema asked for
//   slow                 like text, one word per STUB_DELAY_MS (default 200) ms
//   e401 e403 e404 e429 e500 e503 e529   that HTTP error, always, in the API's own error body
//   eNNNxK               the first K requests fail with NNN, then as text (e429x2). The count is kept per
//                        scenario name; PUT /__stub/reset clears it
//   quota                429 that says the quota or credit is used up (not a short rate limit)
//   context              400: prompt too long for the model
//   hang                 accepts the request and never answers
//   stall                starts the stream, then silence for ever
//   drop                 starts the stream, then cuts the connection
//   midstream            starts the stream, then an error event inside it (overloaded)
//   trunc                a final text that ends at the output token limit
//
// Any name may carry a tag, NAME~TAG (e429x2~job7): the same scenario, told apart in counts and in the request list.
//
// Own scenarios: PUT /__stub/scenarios/NAME with
//   {"turns":[ {"tool":"write","path":"a.txt","content":"x"},      tools: write read shell (mapped to each
//              {"tool":"shell","command":"npm test"},               CLI's own tool names), or by name:
//              {"call":{"name":"WebFetch","args":{"url":"..."}}},
//              {"error":500}, {"error":429,"message":"in other words"}, {"hang":true},
//              {"json":{"a":1}},                                     the answer as JSON, in the way that the request wants it
//              {"text":"Done."} ]}
//   The turn is found from the request itself (the number of tool results since the last user prompt), so
//   concurrent sessions do not disturb each other. The last turn repeats.
//   From JavaScript a scenario may also be a function: the body of a request -> its turns.
//
// Control and inspection
//   GET /__stub/requests    what was asked: [{n, at, api, scenario, turn, path, model, stream, tools, auth}]
//   DELETE /__stub/requests empties that list       PUT /__stub/reset  also clears the eNNNxK counts
//   GET /__stub/last        the whole body of the last model request
//
// Every answer reports fixed usage: 1200 input tokens, of them 200 from cache, and 34 output tokens.

import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import http from 'node:http';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';

export const USAGE = { input: 1200, cached: 200, output: 34 };
export const FINAL_TEXT = 'Stub final answer: the task is done.';

// Names that the CLIs give to the same ability; the first one the request declares is used.
const TOOL_NAMES = {
  shell: ['Bash', 'run_shell_command', 'exec_command', 'shell_command', 'shell', 'local_shell', 'bash'],
  write: ['Write', 'write_file', 'create', 'write', 'apply_patch'],
  read: ['Read', 'read_file', 'view', 'read'],
};

const BUILTIN = {
  text: [{ text: FINAL_TEXT }],
  write: [{ tool: 'write', path: 'hello.txt', content: 'hello from the stub\n' }, { text: FINAL_TEXT }],
  shell: [{ tool: 'shell', command: 'ls' }, { text: FINAL_TEXT }],
  read: [{ tool: 'read', path: 'README.md' }, { text: FINAL_TEXT }],
  readout: [{ tool: 'read', path: '/etc/hostname' }, { text: FINAL_TEXT }],
  writeout: [{ tool: 'write', path: '/etc/stub-should-not-exist', content: 'x\n' }, { text: FINAL_TEXT }],
  multi: [
    { tool: 'write', path: 'hello.txt', content: 'hello from the stub\n' },
    { tool: 'shell', command: 'ls' },
    { text: FINAL_TEXT },
  ],
  loop: [{ tool: 'shell', command: 'true' }],
  structured: [{ structured: true }],
  slow: [{ text: FINAL_TEXT, slow: true }],
  quota: [{ error: 429, kind: 'quota' }],
  context: [{ error: 400, kind: 'context' }],
  hang: [{ hang: true }],
  stall: [{ text: FINAL_TEXT, cut: 'stall' }],
  drop: [{ text: FINAL_TEXT, cut: 'drop' }],
  midstream: [{ text: FINAL_TEXT, cut: 'error' }],
  trunc: [{ text: FINAL_TEXT, trunc: true }],
};

// ---------------------------------------------------------------- errors, in each API's own words

const ANTHROPIC_ERR = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'api_error',
  529: 'overloaded_error',
};
const GEMINI_ERR = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  529: 'UNAVAILABLE',
};
const TEXTS = {
  400: 'Bad request',
  401: 'Invalid API key',
  403: 'Permission denied',
  404: 'Model not found',
  429: 'Rate limit reached, try again later',
  500: 'Internal server error',
  503: 'Service unavailable',
  529: 'Overloaded',
};

function errorAnswer(api, status, kind, model) {
  const headers = { 'content-type': 'application/json' };
  let message = TEXTS[status] ?? `Error ${status}`;
  if (status === 429 && !kind) headers['retry-after'] = '1';
  if (api === 'anthropic') {
    if (status === 401) message = 'invalid x-api-key';
    if (status === 404) message = `model: ${model}`;
    if (status === 429)
      message = "This request would exceed your organization's rate limit of 50,000 input tokens per minute.";
    let type = ANTHROPIC_ERR[status] ?? 'api_error';
    if (kind === 'quota') {
      status = 400;
      type = 'invalid_request_error';
      message =
        'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.';
    }
    if (kind === 'context') message = 'prompt is too long: 208310 tokens > 200000 maximum';
    return { status, headers, body: { type: 'error', error: { type, message }, request_id: 'req_stub' } };
  }
  if (api === 'gemini') {
    const err = { code: status, message, status: GEMINI_ERR[status] ?? 'UNKNOWN' };
    if (status === 401) {
      // The real service answers 400 API_KEY_INVALID to a bad key.
      err.code = status = 400;
      err.status = 'INVALID_ARGUMENT';
      err.message = 'API key not valid. Please pass a valid API key.';
      err.details = [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
        },
      ];
    }
    if (status === 429) {
      const id =
        kind === 'quota'
          ? 'GenerateRequestsPerDayPerProjectPerModel-FreeTier'
          : 'GenerateRequestsPerMinutePerProjectPerModel';
      err.message = 'You exceeded your current quota, please check your plan and billing details.';
      err.details = [
        {
          '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
          violations: [
            { quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests', quotaId: id },
          ],
        },
        {
          '@type': 'type.googleapis.com/google.rpc.RetryInfo',
          retryDelay: kind === 'quota' ? '3600s' : '1s',
        },
      ];
    }
    if (kind === 'context')
      err.message = 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).';
    return { status, headers, body: { error: err } };
  }
  const err = {
    message,
    type: status >= 500 ? 'server_error' : 'invalid_request_error',
    param: null,
    code: null,
  };
  if (status === 401)
    Object.assign(err, { message: 'Incorrect API key provided: stub.', code: 'invalid_api_key' });
  if (status === 404)
    Object.assign(err, {
      message: `The model \`${model}\` does not exist or you do not have access to it.`,
      code: 'model_not_found',
    });
  if (status === 429)
    Object.assign(err, {
      message: 'Rate limit reached for requests. Please try again in 1s.',
      type: 'requests',
      code: 'rate_limit_exceeded',
    });
  if (kind === 'quota')
    Object.assign(err, {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    });
  if (kind === 'context')
    Object.assign(err, {
      message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
      code: 'context_length_exceeded',
    });
  return { status, headers, body: { error: err } };
}

// ---------------------------------------------------------------- reading a request

function readBody(req) {
  return new Promise((resolve, reject) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('error', reject);
    req.on('end', () => {
      let buf = Buffer.concat(parts);
      const enc = req.headers['content-encoding'];
      try {
        if (enc === 'gzip') buf = zlib.gunzipSync(buf);
        else if (enc === 'br') buf = zlib.brotliDecompressSync(buf);
        else if (enc === 'deflate') buf = zlib.inflateSync(buf);
        else if (enc === 'zstd') buf = zlib.zstdDecompressSync(buf);
        resolve(buf.length ? JSON.parse(buf.toString('utf8')) : {});
      } catch (e) {
        reject(e);
      }
    });
  });
}

function apiOf(path) {
  if (/\/messages(\/count_tokens)?$/.test(path)) return 'anthropic';
  if (/\/responses$/.test(path)) return 'responses';
  if (/\/chat\/completions$/.test(path)) return 'chat';
  if (/:(generateContent|streamGenerateContent|countTokens|embedContent)$/.test(path)) return 'gemini';
  return null;
}

// codex declares tools in `tools`, in `additional_tools` input items, and in namespaces inside either.
function responsesTools(body) {
  const extra = (Array.isArray(body.input) ? body.input : []).filter((i) => i.type === 'additional_tools');
  const flat = (list, namespace) =>
    list.flatMap((t) => (t.type === 'namespace' ? flat(t.tools ?? [], t.name) : [{ ...t, namespace }]));
  return flat([...(body.tools ?? []), ...extra.flatMap((i) => i.tools ?? [])]);
}

function toolNames(api, body) {
  if (api === 'anthropic') return (body.tools ?? []).map((t) => t.name);
  if (api === 'responses') return responsesTools(body).map((t) => t.name ?? t.type);
  if (api === 'chat') return (body.tools ?? []).map((t) => t.function?.name);
  return (body.tools ?? []).flatMap((t) => (t.functionDeclarations ?? []).map((f) => f.name));
}

// The number of tool results since the last plain user prompt.
function turnOf(api, body) {
  let n = 0;
  if (api === 'anthropic') {
    for (const m of [...(body.messages ?? [])].reverse()) {
      if (m.role !== 'user') continue;
      const results = Array.isArray(m.content) ? m.content.filter((b) => b.type === 'tool_result').length : 0;
      if (!results) break;
      n += results;
    }
  } else if (api === 'responses') {
    for (const i of Array.isArray(body.input) ? [...body.input].reverse() : []) {
      if (/_call_output$/.test(i.type ?? '')) n += 1;
      else if (i.role === 'user') break;
    }
  } else if (api === 'chat') {
    for (const m of [...(body.messages ?? [])].reverse()) {
      if (m.role === 'tool') n += 1;
      else if (m.role === 'user') break;
    }
  } else {
    for (const c of [...(body.contents ?? [])].reverse()) {
      if (c.role === 'model') continue;
      const results = (c.parts ?? []).filter((p) => p.functionResponse).length;
      if (!results) break;
      n += results;
    }
  }
  return n;
}

function patchOf(step) {
  const lines = step.content
    .replace(/\n$/, '')
    .split('\n')
    .map((l) => `+${l}`)
    .join('\n');
  return `*** Begin Patch\n*** Add File: ${step.path}\n${lines}\n*** End Patch\n`;
}

// A call of one ability, in the words of the tool that this request declares.
function toolCall(step, names, body, api) {
  if (step.call) return { name: step.call.name, args: step.call.args ?? {} };
  const name = TOOL_NAMES[step.tool].find((n) => names.includes(n));
  const decl = (api === 'responses' ? responsesTools(body) : []).find((t) => t.name === name);
  const exec =
    api === 'responses' && !name
      ? responsesTools(body).find((t) => t.name === 'exec' && t.type === 'custom')
      : null;
  if (exec) {
    // codex "code mode" (its default for recent models): one tool that runs JavaScript over the others.
    const command = step.tool === 'read' ? `cat '${step.path}'` : step.command;
    const js =
      step.tool === 'write'
        ? `tools.apply_patch(${JSON.stringify(patchOf(step))})`
        : `tools.exec_command(${JSON.stringify({ cmd: command })})`;
    return { name: 'exec', namespace: exec.namespace, custom: `text(await ${js});` };
  }
  if (!name) {
    // No such tool (codex reads files through its shell): use the shell instead.
    const sh = TOOL_NAMES.shell.find((n) => names.includes(n));
    if (!sh) return null;
    const command =
      step.tool === 'write'
        ? `printf '%s' '${step.content}' > '${step.path}'`
        : step.tool === 'read'
          ? `cat '${step.path}'`
          : step.command;
    return toolCall({ tool: 'shell', command }, names, body, api);
  }
  if (step.tool === 'shell') {
    const c = step.command;
    if (name === 'exec_command') return { name, args: { cmd: c } };
    if (name === 'shell' || name === 'local_shell') return { name, args: { command: ['bash', '-lc', c] } };
    return { name, args: { command: c, description: 'Run a command' } };
  }
  if (step.tool === 'read') {
    const key = { read: 'filePath', view: 'path' }[name] ?? 'file_path';
    return { name, args: { [key]: step.path } };
  }
  if (name === 'apply_patch') {
    const patch = patchOf(step);
    return decl?.type === 'custom' ? { name, custom: patch } : { name, args: { input: patch } };
  }
  if (name === 'create') return { name, args: { path: step.path, file_text: step.content } };
  if (name === 'write') return { name, args: { filePath: step.path, content: step.content } };
  return { name, args: { file_path: step.path, content: step.content } };
}

// The smallest value that fits a JSON schema (enough of it for tests).
function minimal(s) {
  if (!s || typeof s !== 'object') return null;
  if (s.const !== undefined) return s.const;
  if (s.enum) return s.enum[0];
  if (s.anyOf ?? s.oneOf) return minimal((s.anyOf ?? s.oneOf)[0]);
  const t = (Array.isArray(s.type) ? s.type[0] : s.type)?.toLowerCase();
  if (t === 'object' || s.properties) {
    const keys = s.required ?? Object.keys(s.properties ?? {});
    return Object.fromEntries(keys.map((k) => [k, minimal(s.properties?.[k])]));
  }
  if (t === 'array') return Array.from({ length: s.minItems ?? 0 }, () => minimal(s.items));
  if (t === 'number' || t === 'integer') return s.minimum ?? 1;
  if (t === 'boolean') return true;
  if (t === 'null') return null;
  return 'stub';
}

function schemaOf(api, body) {
  if (api === 'responses') return body.text?.format?.schema;
  if (api === 'chat') return body.response_format?.json_schema?.schema;
  if (api === 'gemini')
    return body.generationConfig?.responseJsonSchema ?? body.generationConfig?.responseSchema;
  return (
    body.tools?.find((t) => t.name === 'StructuredOutput')?.input_schema ?? body.output_config?.format?.schema
  );
}

// ---------------------------------------------------------------- answering

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const words = (t) => t.match(/\S+\s*/g) ?? [t];

// Sends frames (strings) as an event stream; `cut` ends it badly after the first half.
async function sendStream(res, frames, { slow, cut, cutFrame }) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const stopAt = cut ? Math.ceil(frames.length / 2) : Infinity;
  for (let i = 0; i < frames.length; i++) {
    if (i >= stopAt) {
      if (cut === 'drop') return void res.destroy();
      if (cut === 'stall') return;
      if (cutFrame) res.write(cutFrame);
      return void res.end();
    }
    if (res.destroyed) return;
    res.write(frames[i]);
    if (slow) await sleep(Number(process.env.STUB_DELAY_MS ?? 200));
  }
  res.end();
}

const named = (type, obj) => `event: ${type}\ndata: ${JSON.stringify({ type, ...obj })}\n\n`;
const data = (obj) => `data: ${typeof obj === 'string' ? obj : JSON.stringify(obj)}\n\n`;

function anthropic(res, body, a) {
  const id = `msg_stub_${randomUUID().slice(0, 8)}`;
  const usage = {
    input_tokens: USAGE.input - USAGE.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: USAGE.cached,
    output_tokens: USAGE.output,
  };
  const block = a.call
    ? {
        type: 'tool_use',
        id: `toolu_stub_${randomUUID().slice(0, 8)}`,
        name: a.call.name,
        input: a.call.args,
      }
    : { type: 'text', text: a.text };
  const stop = a.call ? 'tool_use' : a.trunc ? 'max_tokens' : 'end_turn';
  const msg = {
    id,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [block],
    stop_reason: stop,
    stop_sequence: null,
    usage,
  };
  if (!body.stream) return json(res, 200, msg);
  const deltas = a.call
    ? [{ type: 'input_json_delta', partial_json: JSON.stringify(a.call.args) }]
    : words(a.text).map((text) => ({ type: 'text_delta', text }));
  return sendStream(
    res,
    [
      named('message_start', {
        message: { ...msg, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
      }),
      named('content_block_start', {
        index: 0,
        content_block: a.call ? { ...block, input: {} } : { type: 'text', text: '' },
      }),
      named('ping', {}),
      ...deltas.map((delta) => named('content_block_delta', { index: 0, delta })),
      named('content_block_stop', { index: 0 }),
      named('message_delta', {
        delta: { stop_reason: stop, stop_sequence: null },
        usage: { output_tokens: USAGE.output },
      }),
      named('message_stop', {}),
    ],
    { ...a, cutFrame: named('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }) },
  );
}

function responses(res, body, a) {
  const id = `resp_stub_${randomUUID().slice(0, 8)}`;
  const usage = {
    input_tokens: USAGE.input,
    input_tokens_details: { cached_tokens: USAGE.cached },
    output_tokens: USAGE.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: USAGE.input + USAGE.output,
  };
  const callId = `call_stub_${randomUUID().slice(0, 8)}`;
  const item = !a.call
    ? {
        type: 'message',
        id: `${id}_m`,
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: a.text, annotations: [] }],
      }
    : a.call.custom !== undefined
      ? {
          type: 'custom_tool_call',
          id: `${id}_t`,
          call_id: callId,
          name: a.call.name,
          input: a.call.custom,
          status: 'completed',
        }
      : {
          type: 'function_call',
          id: `${id}_t`,
          call_id: callId,
          name: a.call.name,
          arguments: JSON.stringify(a.call.args),
          status: 'completed',
        };
  const base = {
    id,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model: body.model,
    status: 'in_progress',
    output: [],
    error: null,
    incomplete_details: null,
    usage: null,
  };
  const done = a.trunc
    ? {
        ...base,
        status: 'incomplete',
        output: [item],
        incomplete_details: { reason: 'max_output_tokens' },
        usage,
      }
    : { ...base, status: 'completed', output: [item], usage };
  if (!body.stream) return json(res, 200, done);
  let seq = 0;
  const ev = (type, obj) => named(type, { sequence_number: seq++, ...obj });
  const added = a.call ? item : { ...item, status: 'in_progress', content: [] };
  return sendStream(
    res,
    [
      ev('response.created', { response: base }),
      ev('response.in_progress', { response: base }),
      ev('response.output_item.added', { output_index: 0, item: added }),
      ...(a.call
        ? []
        : words(a.text).map((delta) =>
            ev('response.output_text.delta', { item_id: item.id, output_index: 0, content_index: 0, delta }),
          )),
      ev('response.output_item.done', { output_index: 0, item }),
      ev(a.trunc ? 'response.incomplete' : 'response.completed', { response: done }),
    ],
    {
      ...a,
      cutFrame: named('response.failed', {
        response: {
          ...base,
          status: 'failed',
          error: { code: 'server_is_overloaded', message: 'Overloaded' },
        },
      }),
    },
  );
}

function chat(res, body, a) {
  const id = `chatcmpl-stub-${randomUUID().slice(0, 8)}`;
  const usage = {
    prompt_tokens: USAGE.input,
    completion_tokens: USAGE.output,
    total_tokens: USAGE.input + USAGE.output,
    prompt_tokens_details: { cached_tokens: USAGE.cached },
  };
  const calls = a.call && [
    {
      index: 0,
      id: `call_stub_${randomUUID().slice(0, 8)}`,
      type: 'function',
      function: { name: a.call.name, arguments: JSON.stringify(a.call.args) },
    },
  ];
  const finish = a.call ? 'tool_calls' : a.trunc ? 'length' : 'stop';
  const base = { id, created: Math.floor(Date.now() / 1000), model: body.model };
  if (!body.stream) {
    const message = {
      role: 'assistant',
      content: a.call ? null : a.text,
      ...(calls && { tool_calls: calls }),
    };
    return json(res, 200, {
      ...base,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    });
  }
  const chunk = (delta, finish_reason = null, extra = {}) =>
    data({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason }],
      ...extra,
    });
  return sendStream(
    res,
    [
      chunk({ role: 'assistant', content: '' }),
      ...(a.call ? [chunk({ tool_calls: calls })] : words(a.text).map((content) => chunk({ content }))),
      chunk({}, finish),
      data({ ...base, object: 'chat.completion.chunk', choices: [], usage }),
      data('[DONE]'),
    ],
    { ...a, cutFrame: data({ error: { message: 'Overloaded', type: 'server_error', code: 'overloaded' } }) },
  );
}

function gemini(res, path, model, a) {
  const usageMetadata = {
    promptTokenCount: USAGE.input,
    cachedContentTokenCount: USAGE.cached,
    candidatesTokenCount: USAGE.output,
    totalTokenCount: USAGE.input + USAGE.output,
  };
  const make = (parts, last) => ({
    candidates: [
      {
        index: 0,
        content: { role: 'model', parts },
        ...(last && { finishReason: a.trunc ? 'MAX_TOKENS' : 'STOP' }),
      },
    ],
    ...(last && { usageMetadata }),
    modelVersion: model,
    responseId: 'stub',
  });
  const callPart = a.call && { functionCall: { name: a.call.name, args: a.call.args } };
  if (!path.endsWith(':streamGenerateContent'))
    return json(res, 200, make([callPart ?? { text: a.text }], true));
  const parts = callPart ? [callPart] : words(a.text).map((text) => ({ text }));
  return sendStream(
    res,
    parts.map((p, i) => data(make([p], i === parts.length - 1))),
    {
      ...a,
      cutFrame: data({
        error: {
          code: 503,
          message: 'The model is overloaded. Please try again later.',
          status: 'UNAVAILABLE',
        },
      }),
    },
  );
}

function json(res, status, obj, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(obj));
}

// ---------------------------------------------------------------- the server

export function startStub({ port = 0, scenario = 'text', log = null } = {}) {
  const scenarios = new Map(Object.entries(BUILTIN));
  const counts = new Map();
  let requests = [];
  let last = null;
  let fallback = scenario;

  const turnsFor = (tagged) => {
    const name = tagged.split('~')[0];
    if (scenarios.has(name)) return scenarios.get(name);
    const m = /^e(\d{3})(?:x(\d+))?$/.exec(name);
    if (m) return [{ error: Number(m[1]), times: m[2] ? Number(m[2]) : Infinity }];
    return null;
  };

  async function control(req, res, path) {
    const body = req.method === 'GET' ? {} : await readBody(req);
    const [, , what, name] = path.split('/');
    if (what === 'requests' && req.method === 'GET') return json(res, 200, requests);
    if (what === 'requests' && req.method === 'DELETE') {
      requests = [];
      return json(res, 200, {});
    }
    if (what === 'last') return json(res, 200, last ?? {});
    if (what === 'reset') {
      requests = [];
      counts.clear();
      return json(res, 200, {});
    }
    if (what === 'default' && body.scenario) {
      fallback = body.scenario;
      return json(res, 200, {});
    }
    if (what === 'scenarios' && name && Array.isArray(body.turns) && body.turns.length) {
      scenarios.set(name, body.turns);
      return json(res, 200, {});
    }
    if (what === 'scenarios') return json(res, 200, [...scenarios.keys()]);
    return json(res, 404, { error: 'unknown control request' });
  }

  async function handle(req, res) {
    const url = new URL(req.url, 'http://stub');
    let path = url.pathname.replace(/\/{2,}/g, '/');
    if (path.startsWith('/__stub/')) return control(req, res, path);

    const auth =
      req.headers['x-api-key'] ??
      req.headers['x-goog-api-key'] ??
      url.searchParams.get('key') ??
      (req.headers.authorization ?? '').replace(/^Bearer /i, '');
    let name = fallback;
    const m = /^\/s\/([^/]+)(\/.*)?$/.exec(path);
    if (m) {
      name = m[1];
      path = m[2] ?? '/';
    } else if (auth.startsWith('stub-') && turnsFor(auth.slice(5))) name = auth.slice(5);

    const entry = { n: requests.length, at: Date.now(), method: req.method, path, scenario: name };
    requests.push(entry);
    const note = (more) => {
      Object.assign(entry, more);
      if (log) appendFileSync(log, `${JSON.stringify(entry)}\n`);
    };

    const api = req.method === 'POST' ? apiOf(path) : null;
    if (!api) {
      req.resume();
      note({ api: null, auth: Boolean(auth) });
      if (req.method === 'GET' && /\/models(\/[^/]+)?$/.test(path))
        return json(res, 200, { object: 'list', data: [], models: [] });
      return req.method === 'HEAD'
        ? void res.writeHead(200).end()
        : json(res, 404, { error: { message: 'stub: unknown path' } });
    }

    const body = await readBody(req);
    last = body;
    const model = body.model ?? /models\/([^:]+):/.exec(path)?.[1] ?? '';
    if (/count_tokens$|:countTokens$/.test(path)) {
      note({ api, model, count: true });
      return json(res, 200, api === 'gemini' ? { totalTokens: USAGE.input } : { input_tokens: USAGE.input });
    }
    const found = turnsFor(name) ?? [{ error: 400 }];
    const turns = typeof found === 'function' ? found(body) : found;
    const turn = turnOf(api, body);
    const names = toolNames(api, body);
    let step = turns[Math.min(turn, turns.length - 1)];
    note({
      api,
      turn,
      model,
      stream: body.stream === true || path.includes(':stream'),
      tools: names,
      auth: Boolean(auth),
    });

    if (step.times !== undefined) {
      const used = counts.get(name) ?? 0;
      if (used >= step.times) step = BUILTIN.text[0];
      else counts.set(name, used + 1);
    }
    if (step.hang) return;
    if (step.error) {
      const e = errorAnswer(api, step.error, step.kind, model);
      if (step.message) e.body.error.message = step.message;
      return json(res, e.status, e.body, e.headers);
    }
    const answer = { ...step, text: step.text ?? FINAL_TEXT };
    if (step.tool || step.call) answer.call = toolCall(step, names, body, api) ?? undefined;
    if (step.structured) {
      const schema = schemaOf(api, body);
      if (schema && names.includes('StructuredOutput')) {
        if (turn === 0) answer.call = { name: 'StructuredOutput', args: minimal(schema) };
      } else if (schema) answer.text = JSON.stringify(minimal(schema));
    }
    if (step.json !== undefined) {
      if (names.includes('StructuredOutput')) {
        if (turn === 0) answer.call = { name: 'StructuredOutput', args: step.json };
      } else answer.text = JSON.stringify(step.json);
    }
    // A side request that offers no tools and asks for JSON (routers, classifiers, titles) gets JSON that fits.
    const sideSchema = !names.length && !step.structured ? schemaOf(api, body) : null;
    if (sideSchema) {
      answer.text = JSON.stringify(minimal(sideSchema));
      answer.call = undefined;
      answer.cut = undefined;
    }

    if (api === 'anthropic') return anthropic(res, body, answer);
    if (api === 'responses') return responses(res, body, answer);
    if (api === 'chat') return chat(res, body, answer);
    return gemini(res, path, model, answer);
  }

  const server = http.createServer((req, res) => {
    handle(req, res).catch((e) => {
      if (!res.headersSent) json(res, 400, { error: { message: `stub: ${e.message}` } });
      else res.destroy();
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const p = server.address().port;
      resolve({
        port: p,
        url: `http://127.0.0.1:${p}`,
        base: (s) => `http://127.0.0.1:${p}/s/${s}`,
        requests: () => requests,
        addScenario: (n, turns) => scenarios.set(n, turns),
        close: () =>
          new Promise((r) => {
            server.closeAllConnections();
            server.close(r);
          }),
      });
    });
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const s = await startStub({
    port: Number(process.env.STUB_PORT ?? 0),
    scenario: process.env.STUB_SCENARIO ?? 'text',
    log: process.env.STUB_LOG ?? null,
  });
  console.log(JSON.stringify({ port: s.port, url: s.url }));
  for (const sig of ['SIGINT', 'SIGTERM']) process.on(sig, () => process.exit(0));
}
