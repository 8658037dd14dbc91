namespace MLExtensions.Examples; internal static class Program { private static int Main() => 0; }
