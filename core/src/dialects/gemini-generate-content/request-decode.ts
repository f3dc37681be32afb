import { InvalidRequestError } from '@bifrost/sdk';
import type { ConversationRequest, JsonObject, Message, Part } from '@bifrost/sdk';
import type { LossReport, RequestHeadHint } from '../codec.ts';
import { CallIds } from './call-ids.ts';
import { FieldReader, present } from './fields.ts';
import { residueOf } from './form.ts';
import { decodeGenerationConfig, generationForm, modelNote } from './generation-config.ts';
import { decodePart } from './parts.ts';
import { encodeMessage } from './messages.ts';
import { encodeRequest } from './request-encode.ts';
import { decodeToolChoice, decodeTools } from './tools.ts';

/** Losses found while a decoded request is encoded for comparison concern nobody. */
const silent: LossReport = { add: () => undefined };

/** Fields that are compared whole: their items keep residues of their own. */
const requestForm = {
  leaves: ['contents', 'systemInstruction', 'tools', ...generationForm.leaves],
  aliases: generationForm.aliases,
};

/** `models/gemini-2.5-flash`, `publishers/google/models/...` -> the bare name. */
export function bareModel(model: string): string {
  return model.slice(model.lastIndexOf('models/') === -1 ? 0 : model.lastIndexOf('models/') + 'models/'.length);
}

function roleOf(role: string | undefined, parts: readonly Part[]): Message['role'] {
  if (role === 'model' || role === 'assistant') return 'assistant';
  const isToolTurn = parts.length > 0 && parts.every((part) => part.type === 'tool-result');
  return isToolTurn ? 'tool' : 'user';
}

function decodeContent(content: FieldReader, ids: CallIds): Message {
  const parts = (content.children('parts') ?? []).map((part) => decodePart(part, ids));
  const message: Message = { role: roleOf(content.string('role'), parts), parts };
  // The residue also marks the message as this dialect's own, so it is kept when empty.
  return { ...message, residue: residueOf(encodeMessage(message), content.object, { leaves: ['parts'] }) };
}

function decodeSystem(system: FieldReader): Message {
  const message: Message = { ...decodeContent(system, new CallIds()), role: 'system' };
  // Clients send `role: user` with it; Google ignores that.
  const form = { leaves: ['parts'], meaningless: ['role'] };
  return { ...message, residue: residueOf(encodeMessage(message), system.object, form) };
}

function modelOf(body: FieldReader, hint: RequestHeadHint): string {
  const model = hint.model ?? body.string('model');
  if (model !== undefined && model !== '') return bareModel(model);
  throw new InvalidRequestError(
    'no model is given: expected it in the path, as in models/gemini-2.5-flash:generateContent',
    {
      code: 'BF_REQUEST_INVALID',
      param: 'model',
    },
  );
}

/** A generateContent request -> canonical. Throws InvalidRequestError `BF_REQUEST_INVALID` naming the field at fault. */
export function decodeRequest(object: JsonObject, hint: RequestHeadHint): ConversationRequest {
  const body = new FieldReader(object, { path: '', isStrict: true });
  const contents = body.children('contents');
  if (contents === undefined) {
    throw new InvalidRequestError('contents is missing: expected an array of at least one turn, each { role, parts }', {
      code: 'BF_REQUEST_INVALID',
      param: 'contents',
    });
  }
  const ids = new CallIds();
  const system = body.child('systemInstruction');
  const config = body.child('generationConfig');
  const tools = body.children('tools');
  const request: ConversationRequest = {
    model: modelOf(body, hint),
    stream: hint.stream ?? false,
    messages: [
      ...(system === undefined ? [] : [decodeSystem(system)]),
      ...contents.map((content) => decodeContent(content, ids)),
    ],
    ...present({
      tools: tools === undefined ? undefined : decodeTools(tools),
      toolChoice: decodeToolChoice(body.child('toolConfig')),
    }),
    ...(config === undefined ? {} : decodeGenerationConfig(config)),
    residue: { dialect: 'gemini-generate-content', fields: {} },
  };
  const made = encodeRequest(request, { report: silent });
  const residue = residueOf(made, object, requestForm);
  return { ...request, residue: { ...residue, form: { ...residue.form, [modelNote]: request.model } } };
}
