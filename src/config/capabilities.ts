/**
 * Names of capabilities that have a meaning everywhere: rules, steps and reviews look for them. Others are welcome; one that
 * is nearly one of these is a slip, which would only show as an agent that is never chosen.
 */
export const predefinedCapabilities = [
  ...['task_decomposition', 'dependency_analysis', 'workflow_design'],
  ...['web_research', 'document_analysis', 'data_synthesis'],
  ...['code_generation', 'code_review', 'code_refactoring', 'testing'],
  ...['email_management', 'document_creation', 'presentation'],
  ...['api_integration', 'database_operations', 'file_operations'],
  ...['data_analysis', 'pattern_recognition', 'error_diagnosis'],
] as const;
