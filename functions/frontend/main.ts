export const handler = async (): Promise<string> => 'not wired yet';
