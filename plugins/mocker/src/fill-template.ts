/** Variables of `message_template`: facts of the request, and invented data under `{{faker.NAME}}` or `{{faker.NAME:A,B}}`. */
import { randomUUID } from 'node:crypto';

const firstNames = ['Ada', 'Alan', 'Barbara', 'Claude', 'Edsger', 'Grace', 'Hedy', 'John', 'Katherine', 'Margaret'];
const lastNames = ['Dijkstra', 'Hamilton', 'Hopper', 'Johnson', 'Lamarr', 'Liskov', 'Lovelace', 'Shannon', 'Turing'];
const places = ['Ashford', 'Brookfield', 'Eastham', 'Lakewood', 'Millbrook', 'Northgate', 'Riverton', 'Westbury'];
const trades = ['Analytics', 'Bakery', 'Energy', 'Foundry', 'Instruments', 'Logistics', 'Press', 'Systems'];
const jobs = ['accountant', 'archivist', 'chemist', 'engineer', 'gardener', 'nurse', 'pilot', 'translator'];
const words = [
  'amber',
  'bridge',
  'cloud',
  'delta',
  'ember',
  'field',
  'garden',
  'harbour',
  'island',
  'lantern',
  'meadow',
];
const colours = ['black', 'blue', 'green', 'orange', 'purple', 'red', 'white', 'yellow'];

function oneOf(list: readonly string[]): string {
  return list[Math.floor(Math.random() * list.length)] ?? '';
}

function integerBetween(low: number, high: number): number {
  return low + Math.floor(Math.random() * (high - low + 1));
}

function sentence(length: number): string {
  const text = Array.from({ length }, () => oneOf(words)).join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const name = (): string => `${oneOf(firstNames)} ${oneOf(lastNames)}`;
const digits = (count: number): string => Array.from({ length: count }, () => integerBetween(0, 9)).join('');

/** Each gets the numbers after the colon. */
const fakers: Readonly<Record<string, (...numbers: readonly number[]) => string>> = {
  name,
  first_name: () => oneOf(firstNames),
  last_name: () => oneOf(lastNames),
  // Kept for documentation by RFC 2606 and, for the numbers, by the North American Numbering Plan.
  email: () => `${oneOf(firstNames)}.${oneOf(lastNames)}@example.com`.toLowerCase(),
  phone: () => `+1-555-01${digits(2)}`,
  address: () => `${integerBetween(1, 400)} ${oneOf(words)} street, ${oneOf(places)}`,
  city: () => oneOf(places),
  company: () => `${oneOf(lastNames)} ${oneOf(trades)}`,
  job_title: () => oneOf(jobs),
  color: () => oneOf(colours),
  word: () => oneOf(words),
  sentence: (length = 8) => sentence(length),
  lorem_ipsum: (length = 20) => sentence(length),
  paragraph: (count = 4) => Array.from({ length: count }, () => sentence(8)).join(' '),
  uuid: () => randomUUID(),
  boolean: () => String(Math.random() < 0.5),
  integer: (low = 0, high = 100) => String(integerBetween(low, high)),
  float: (low = 0, high = 1) => (low + Math.random() * (high - low)).toFixed(2),
  date: () => new Date().toISOString().slice(0, 10),
  timestamp: () => new Date().toISOString(),
};

const maxNumber = 10_000;

function fake(expression: string): string | undefined {
  const [method = '', list] = expression.split(':');
  const faker = Object.hasOwn(fakers, method) ? fakers[method] : undefined;
  const numbers = list === undefined ? [] : list.split(',').map(Number);
  const isRight = numbers.every((number) => Number.isFinite(number) && Math.abs(number) <= maxNumber);
  return isRight ? faker?.(...numbers) : undefined;
}

/** Fills the variables in; one that is not known stays as it stands. */
export function fillTemplate(template: string, facts: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{\s*([^{}]+?)\s*\}\}/g, (whole, expression: string) => {
    if (expression.startsWith('faker.')) return fake(expression.slice('faker.'.length)) ?? whole;
    return Object.hasOwn(facts, expression) ? (facts[expression] ?? whole) : whole;
  });
}
