namespace MLExtensions.Examples.Infrastructure;

/// <summary>What an example takes besides its options: words such as names of files.</summary>
/// <param name="Placeholder">What stands for the words in the list, such as <c>FILE...</c>.</param>
/// <param name="Description">What they are for.</param>
/// <param name="Most">How many there may be; there must be one at least.</param>
internal sealed record ExampleWords(string Placeholder, string Description, int Most = int.MaxValue);
