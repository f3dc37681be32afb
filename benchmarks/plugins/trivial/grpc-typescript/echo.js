/** The least that a gRPC server in this language can do: a stream that answers each message with a constant. */
import { Server, ServerCredentials } from '@grpc/grpc-js';

const bytes = (buffer) => buffer;
const answers = JSON.parse(process.argv[3]).map((text) => Buffer.from(text));
const method = (path) => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});
const echo = (answer) => (stream) => {
  stream.on('data', () => stream.write(answer));
  stream.on('error', () => undefined);
};
const server = new Server();
server.addService(
  Object.fromEntries(answers.map((_, index) => [`echo${index}`, method(`/echo.Echo/Echo${index}`)])),
  Object.fromEntries(answers.map((answer, index) => [`echo${index}`, echo(answer)])),
);
server.bindAsync(`unix:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  console.log('ready');
});
process.stdin.resume().on('end', () => process.exit(0));
