// Ends with code 0 when a container engine answers. A program of its own, so that it can be killed: a wedged engine takes
// the question, never answers, and would keep vitest from ending.
import { getContainerRuntimeClient } from 'testcontainers';

await getContainerRuntimeClient();
process.exit();
