namespace MLExtensions.Examples.Infrastructure;

/// <summary>An option of an example, <c>--name value</c>.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Placeholder">What stands for the value in the list, such as <c>N</c>.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Default">The value where none is given, or null.</param>
internal sealed record ExampleOption(string Name, string Placeholder, string Description, string? Default = null)
{
    public string Usage => $"--{Name} {Placeholder}";
}
