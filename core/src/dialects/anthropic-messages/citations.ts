/** Citations of all kinds. Positions in the cited document stay residue: the canonical positions are those in the answer's text. */
import { isJsonObject } from '@bifrost/sdk';
import type { Citation, Json, JsonObject } from '@bifrost/sdk';
import { dropExpected, present, takeNumber, takeString } from './fields.ts';
import { dialect, toResidue, withResidue } from './residue.ts';

function isOnTheWeb(citation: Pick<Citation, 'url'>): boolean {
  return citation.url !== undefined;
}

/** One wire citation; undefined for a value that is not an object. */
export function decodeCitation(value: Json | undefined): Citation | undefined {
  if (!isJsonObject(value)) return undefined;
  const rest = { ...value };
  const url = takeString(rest, 'url');
  const titleField = url === undefined && value['type'] !== 'search_result_location' ? 'document_title' : 'title';
  const citation = present({
    url,
    title: takeString(rest, titleField),
    citedText: takeString(rest, 'cited_text'),
    fileId: takeString(rest, 'file_id'),
    documentIndex: takeNumber(rest, 'document_index'),
  });
  dropExpected(rest, 'type', isOnTheWeb(citation) ? 'web_search_result_location' : 'char_location');
  return present({ ...citation, residue: toResidue(rest) });
}

/** One citation for a client. A foreign one gets the members that Anthropic's clients require, empty where unknown. */
export function encodeCitation(citation: Citation): JsonObject {
  const own = citation.residue?.dialect === dialect;
  const isWeb = isOnTheWeb(citation);
  const isSearchResult = own && citation.residue.fields['type'] === 'search_result_location';
  const target = present({
    url: citation.url,
    cited_text: citation.citedText,
    file_id: citation.fileId,
    document_index: citation.documentIndex,
    [isWeb || isSearchResult ? 'title' : 'document_title']: citation.title,
  });
  const encoded = withResidue(target, citation.residue);
  encoded['type'] ??= isWeb ? 'web_search_result_location' : 'char_location';
  if (own) return encoded;
  const required = isWeb
    ? { cited_text: '', encrypted_index: '', title: null }
    : { cited_text: '', document_index: 0, document_title: null, start_char_index: 0, end_char_index: 0 };
  return { ...required, ...encoded };
}
