"""The third process: sends notices, pages again, writes the digest, purges."""
