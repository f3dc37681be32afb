/** The least that a gRPC server in this language can do: one unary method that answers with a constant. */
import { Server, ServerCredentials } from '@grpc/grpc-js';

const bytes = (buffer) => buffer;
const answers = JSON.parse(process.argv[3]).map((text) => Buffer.from(text));
const method = (path) => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});
const server = new Server();
server.addService(
  Object.fromEntries(answers.map((_, index) => [`echo${index}`, method(`/echo.Echo/Echo${index}`)])),
  Object.fromEntries(answers.map((answer, index) => [`echo${index}`, (_call, reply) => reply(null, answer)])),
);
server.bindAsync(`unix:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  console.log('ready');
});
process.stdin.resume().on('end', () => process.exit(0));
